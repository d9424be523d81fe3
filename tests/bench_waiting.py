"""`make bench-waiting`: what 2,000 Workflows that wait in one namespace cost those who submit, and an idle controller.

On the running laboratory, with the hold none, so that nothing but Medea works at the front door. Every figure stands
beside the one of the same run without a queue; nothing is asserted. All Workflows are suspended: no pod ever starts.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import percentiles, workflow
from tests.end_to_end.lab import away
from tests.end_to_end.ledger import rows_of
from tests.end_to_end.objects import TARGETS, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.faults.laboratory.happenings import set_quota
from tests.lab import lifecycle, modes
from webhook.errors import MedeaError
from webhook.kube.client import Cluster, front_door
from webhook.kube.resources import WORKFLOWS

WAITING = 2000
_UNQUEUED = 200
_SAMPLES = 300
_AT_ONCE = 8
_SETTLE_SECONDS, _IDLE_SECONDS = 30.0, 30.0
# Room for one of them on each target, and for all.
_FULL, _AMPLE = ("2", "2Gi"), 10_000
_LONGEST_DRAIN = 600.0


def main() -> None:
    """Measure, print, and remove what was made."""
    console, table = Console(width=120), Table("", "without", f"behind {WAITING}", "ratio")
    front = front_door(str(lifecycle.running().kubeconfig("front")))
    with away("front-controller"):
        with new_workspace(("10000", "10000Gi"), ("10000", "10000Gi"), hold="none") as workspace:
            accepting(front, workspace)
            unqueued = _rate(workspace, lambda: _submit_many(front, workspace, _UNQUEUED), _UNQUEUED)
        with new_workspace(_FULL, _FULL, hold="none") as workspace:
            accepting(front, workspace)
            _submit_many(front, workspace, len(TARGETS))
            idle, empty = _idle_cores(), _submits(front, workspace)
            refused = _submit_many(front, workspace, WAITING)
            busy, full = _idle_cores(), _submits(front, workspace)
            drained = _rate(workspace, lambda: _open(workspace), WAITING)
            for name, one, other in (
                ("submit p50, ms", empty[0], full[0]),
                ("submit p99, ms", empty[1], full[1]),
                ("idle controller, cores", idle, busy),
                ("runs created a second", unqueued, drained),
            ):
                table.add_row(name, f"{one:.2f}", f"{other:.2f}", f"{other / max(one, 1e-9):.2f}")
            console.print(table)
            console.print(f"{refused} of {WAITING} submits refused")
            _remove(workspace)


def _remove(workspace: Workspace) -> None:
    """Thousands take longer to go than a workspace waits for."""
    workspace.kubectl("delete", "workflows", "--all", "--wait=false")
    eventually(lambda: not workflows("front", workspace.name), "all are gone", within=_LONGEST_DRAIN)


def _submit(front: Cluster, workspace: Workspace) -> bool:
    try:
        front.create(WORKFLOWS, workspace.name, workflow(), read_timeout=15.0)
    except MedeaError as error:
        Console().print(f"refused: {error.message}")
        return False
    return True


def _submit_many(front: Cluster, workspace: Workspace, number: int) -> int:
    """Returns how many were refused."""
    with ThreadPoolExecutor(_AT_ONCE) as people:
        return number - sum(people.map(lambda _: _submit(front, workspace), range(number)))


def _submits(front: Cluster, workspace: Workspace) -> tuple[float, float]:
    """p50 and p99 of one submit after the other, in milliseconds."""
    took = []
    for _ in range(_SAMPLES):
        started = time.perf_counter()
        _submit(front, workspace)
        took.append((time.perf_counter() - started) * 1000)
    return percentiles(took)


def _idle_cores() -> float:
    """What the controller uses while nothing happens, once it has done what the last submits have caused."""
    time.sleep(_SETTLE_SECONDS)
    [pid] = modes.pids("controller")
    before = _cpu_seconds(pid)
    time.sleep(_IDLE_SECONDS)
    return (_cpu_seconds(pid) - before) / _IDLE_SECONDS


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _rate(workspace: Workspace, begin: Callable[[], object], number: int) -> float:
    """How many runs a second come into being, from `begin` to the last."""
    started = time.monotonic()
    begin()

    def created() -> bool:
        return sum(1 for row in rows_of(workspace.name) if row["dispatched_at"]) >= number

    eventually(created, lambda: f"{number} runs exist", within=_LONGEST_DRAIN)
    return number / (time.monotonic() - started)


def _open(workspace: Workspace) -> None:
    for target in TARGETS:
        set_quota(target, workspace.name, _AMPLE)


def accepting(front: Cluster, workspace: Workspace) -> None:
    """Wait until Medea lets Workflows with the hold none in there."""

    def accepted() -> bool:
        try:
            front.create(WORKFLOWS, workspace.name, workflow(), dry_run=True)
        except MedeaError:
            return False
        return True

    eventually(accepted, "Medea has made sure that no controller works there")


if __name__ == "__main__":
    main()
