"""`make bench-hang`: a target that accepts connections and answers nothing, under load: what it costs everybody else.

On the running laboratory, with the hold none. The apiserver of west is frozen (SIGSTOP) for some minutes while people
go on submitting; the same load before is the baseline. Nothing is asserted.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tests.bench import percentiles, workflow
from tests.bench_waiting import accepting
from tests.end_to_end.lab import away
from tests.end_to_end.ledger import rows_of
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import lifecycle, supervisor
from webhook.errors import MedeaError
from webhook.kube.client import Cluster, front_door
from webhook.kube.resources import WORKFLOWS

_BASELINE_SECONDS = 30.0
_PER_SECOND = 2
_ROOM = ("10000", "10000Gi")
_CLEARED_WITHIN = 900


def main(seconds: Annotated[float, typer.Option(help="for how long west is frozen")] = 120.0) -> None:
    """Measure, print, and remove what was made."""
    front = front_door(str(lifecycle.running().kubeconfig("front")))
    with (
        away("front-controller"),
        new_workspace(_ROOM, _ROOM, hold="none", cleared_within=_CLEARED_WITHIN) as workspace,
    ):
        accepting(front, workspace)
        before = _load(front, workspace, _BASELINE_SECONDS)
        eventually(lambda: not _without_run(workspace, before), "the baseline's runs exist")
        _signal(signal.SIGSTOP)
        try:
            during = _load(front, workspace, seconds)
        finally:
            _signal(signal.SIGCONT)
        mended = time.monotonic()
        eventually(lambda: not _without_run(workspace, during), "every run exists", within=300)
        _print(workspace, before, during, seconds, time.monotonic() - mended)


def _load(front: Cluster, workspace: Workspace, seconds: float) -> dict[str, str]:
    """Names of what was accepted, and the words of what was refused under made-up names."""
    found: dict[str, str] = {}

    def one(number: int) -> None:
        try:
            found[front.create(WORKFLOWS, workspace.name, workflow(), read_timeout=15.0)["metadata"]["name"]] = ""
        except MedeaError as error:
            found[f"refused {number}"] = error.message

    until = time.monotonic() + seconds
    with ThreadPoolExecutor(16) as people:
        for number in range(int(seconds * _PER_SECOND)):
            people.submit(one, number)
            time.sleep(max(0.0, min(1 / _PER_SECOND, until - time.monotonic())))
    return found


def _rows(workspace: Workspace, names: dict[str, str]) -> list[dict[str, Any]]:
    return [row for row in rows_of(workspace.name) if row["name"] in names]


def _without_run(workspace: Workspace, names: dict[str, str]) -> list[str]:
    accepted = [name for name, words in names.items() if not words]
    there = {row["name"] for row in _rows(workspace, names) if row["dispatched_at"]}
    return [name for name in accepted if name not in there]


def _print(
    workspace: Workspace, before: dict[str, str], during: dict[str, str], seconds: float, settled: float
) -> None:
    console, table = Console(width=120), Table("accepted → run exists, ms", "submits", "refused", "p50", "p99", "worst")
    for name, names in (("both targets well", before), (f"west frozen for {seconds:.0f} s", during)):
        for cluster in ("east", "west"):
            rows = [row for row in _rows(workspace, names) if row["cluster"] == cluster]
            took = [(row["dispatched_at"] - row["created_at"]).total_seconds() * 1000 for row in rows]
            refused = sum(1 for words in names.values() if words)
            cells = [f"{one:.0f}" for one in (*percentiles(took), max(took))] if len(took) > 1 else ["", "", ""]
            table.add_row(f"{name}: on {cluster}", str(len(rows)), str(refused), *cells)
    console.print(table)
    for words in sorted({words for words in during.values() if words}):
        console.print(f"refused: {words}", markup=False)
    console.print(f"every run existed {settled:.1f} s after west went on")


def _signal(what: signal.Signals) -> None:
    pid = supervisor.pid_of("apiserver-west")
    assert pid is not None
    os.killpg(pid, what)


if __name__ == "__main__":
    typer.run(main)
