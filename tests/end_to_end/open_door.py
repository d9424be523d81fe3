"""The API as the original Medea had it, open to whoever is on this machine: a process of its own, during a test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.end_to_end.host_door import HostDoor
from tests.end_to_end.turns import turn

BALANCER_PORT, SCOUT_PORT, METRICS_PORT = 18090, 18091, 19098
OPEN = f"http://localhost:{BALANCER_PORT}"


def api_on(name: str, *, balancer: int, scout: int, metrics: int, settings: Mapping[str, str]) -> HostDoor:
    """An open API at these ports, not started."""
    ports = {
        "MEDEA_BALANCER_PORT": str(balancer),
        "MEDEA_SCOUT_PORT": str(scout),
        "MEDEA_API_METRICS_PORT": str(metrics),
    }
    return HostDoor(name, "api", metrics, {**ports, **settings})


@contextmanager
def open_api() -> Iterator[str]:
    """The URL of an open API, while the block runs."""
    door = api_on("open-api", balancer=BALANCER_PORT, scout=SCOUT_PORT, metrics=METRICS_PORT, settings={})
    with turn("open-api"), door.running():
        yield OPEN
