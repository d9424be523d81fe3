"""How Medea runs in the laboratory: inside the front door, or, for a debugger, as processes on the host.

LAB_MEDEA says which; the laboratory remembers what it has.
"""

import os
from enum import StrEnum

from tests.lab import cluster_mode, inside, medea, pods, supervisor
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import STATE
from tests.lab.processes import Process


class Mode(StrEnum):
    CLUSTER = "cluster"
    """Installed by its chart from the built image, as its users have it."""
    PROCESSES = "processes"
    """Two processes of this checkout."""


_KEPT = STATE / "medea" / "mode"


def wanted() -> Mode:
    """What the caller's environment asks for."""
    said = os.environ.get("LAB_MEDEA", Mode.CLUSTER)
    try:
        return Mode(said)
    except ValueError:
        raise LabError(f"LAB_MEDEA={said}: it has to be {' or '.join(Mode)}") from None


def running() -> Mode | None:
    """What the laboratory has; None before Medea is there."""
    return Mode(_KEPT.read_text()) if _KEPT.exists() else None


def bring_up(lab: Lab, mode: Mode) -> None:
    """Install and start Medea in this mode, or what is missing of it; in the other mode it is taken away first."""
    if running() not in (None, mode):
        take_away(lab)
    _KEPT.parent.mkdir(parents=True, exist_ok=True)
    _KEPT.write_text(mode)
    if mode == Mode.CLUSTER:
        cluster_mode.bring_up(lab)
    else:
        inside.start_processes(lab)


def processes(lab: Lab) -> list[Process]:
    """What runs on the host for Medea."""
    match running():
        case Mode.CLUSTER:
            return cluster_mode.processes()
        case Mode.PROCESSES:
            return medea.processes(lab)
        case None:
            return []


def pids(part: str) -> list[int]:
    """The process ids of `webhook` or `controller`."""
    if running() == Mode.CLUSTER:
        return pods.pids(part)
    pid = supervisor.pid_of(part)
    return [] if pid is None else [pid]


def take_away(lab: Lab) -> None:
    """Remove Medea, so that the front door knows none."""
    if running() == Mode.CLUSTER:
        cluster_mode.take_down(lab)
    else:
        inside.stop_processes(lab)
    _KEPT.unlink(missing_ok=True)
