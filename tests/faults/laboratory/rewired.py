"""Medea in the laboratory with a proxy on each of its four links, and everything as it was afterwards.

It runs as processes on the host meanwhile: there a link is an address in their environment, and each can be frozen.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.faults.laboratory.links import Link, Mode
from tests.lab import medea, modes, supervisor
from tests.lab.lab import Lab
from tests.lab.layout import BY_NAME, MEDEA_PORT, POSTGRES_PORT, PROMETHEUS, TARGETS


@dataclass(frozen=True)
class Links:
    """By the names that people use in a schedule: webhook, ledger, samples, and one for each target."""

    by_name: dict[str, Link]

    def heal(self) -> None:
        """All pass everything on again."""
        for link in self.by_name.values():
            link.set(Mode.PASS)

    def register(self, target: str) -> None:
        """Make a cluster a target, through its link."""
        medea.register(Lab(), target, host="127.0.0.1", port=self.by_name[target].port)


@contextmanager
def rewired() -> Iterator[Links]:
    """Restarts Medea before and after: where the ledger and Prometheus are is in its processes' environment."""
    lab, mode = Lab(), modes.running() or modes.wanted()
    host, _, port = PROMETHEUS.partition(":")
    ends = {
        "webhook": ("127.0.0.1", MEDEA_PORT),
        "ledger": ("127.0.0.1", POSTGRES_PORT),
        "samples": (host, int(port)),
        **{target.name: ("127.0.0.1", BY_NAME[target.name].api_port) for target in TARGETS},
    }
    with ExitStack() as stack:
        links = Links({name: Link(name, end) for name, end in ends.items()})
        for link in links.by_name.values():
            stack.callback(link.close)
        stack.callback(_direct, mode)
        modes.bring_up(lab, modes.Mode.PROCESSES)
        os.environ["POSTGRESQL_URL"] = f"127.0.0.1:{links.by_name['ledger'].port}/medea"
        os.environ["PROMETHEUS_URL"] = f"http://127.0.0.1:{links.by_name['samples'].port}"
        for target in TARGETS:
            links.register(target.name)
        start_medea()
        medea.apply(lab, medea.webhook_configuration(f"https://127.0.0.1:{links.by_name['webhook'].port}"))
        yield links


def start_medea() -> None:
    """Start what does not run of it, and wait until it is ready."""
    for process in medea.processes(Lab()):
        supervisor.start(process)
        supervisor.wait_ready(process)


def _direct(mode: modes.Mode) -> None:
    for name in ("POSTGRESQL_URL", "PROMETHEUS_URL"):
        os.environ.pop(name, None)
    lab = Lab()
    # Whichever comes next, it finds its targets: processes on their way out still have to let go of what runs there.
    for target in TARGETS:
        medea.register(lab, target.name)
    modes.bring_up(lab, mode)
