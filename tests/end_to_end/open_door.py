"""The API as the original Medea had it, open to whoever is on this machine: a process of its own, during a test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import LOGS
from tests.lab.processes import http_ok

BALANCER_PORT, SCOUT_PORT, METRICS_PORT = 18090, 18091, 19098
OPEN = f"http://localhost:{BALANCER_PORT}"


@contextmanager
def open_api() -> Iterator[str]:
    """The URL of an open API, while the block runs."""
    declared = next(one for one in medea.processes(Lab()) if one.name == "webhook")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **declared.env,
        "MEDEA_API": "open",
        "MEDEA_BALANCER_PORT": str(BALANCER_PORT),
        "MEDEA_SCOUT_PORT": str(SCOUT_PORT),
        "MEDEA_API_METRICS_PORT": str(METRICS_PORT),
    }
    with (
        turn("open-api"),
        (LOGS / "open-api.log").open("wb") as log,
        subprocess.Popen([*declared.argv, "api"], env=environment, cwd=declared.cwd, stdout=log, stderr=log) as process,
    ):
        try:
            eventually(http_ok(f"http://127.0.0.1:{METRICS_PORT}/readyz"), "the open API is ready")
            yield OPEN
        finally:
            process.terminate()
            assert process.wait(60) == 0
