"""More Workflows than there is room for: no target is overfilled, nobody is lost, and who came first goes first."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests.end_to_end.ledger import Row, ledger_row, rows_of
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import TARGETS, annotations, cluster_of, origin, pods, runs_in, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long

MANY, ROOM = 30, 20
# Ten Workflows of two cores and half a GiB each; one pod each, since many at once is the point, and not many pods.
PER_TARGET = (str(ROOM), "5Gi")
JOB = ("executor_num=0", "driver_cores_limit=2", "driver_memory_limit=0.5g", "seconds=4")
_ALIVE = ("Pending", "Running")
FULL = inline("sleep 100000", {**SMALL, "driver_cores_limit": "2"})
"""Takes two cores for as long as it is there."""


class Use:
    """The most cores that the pods of a namespace had for limits at once, per target."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.most = dict.fromkeys(TARGETS, 0.0)

    def look(self) -> None:
        """Look once."""
        for cluster in TARGETS:
            alive = [pod for pod in pods(cluster, self._namespace) if pod["status"].get("phase") in _ALIVE]
            self.most[cluster] = max(self.most[cluster], sum(_cores(pod) for pod in alive))


def _cores(pod: dict[str, dict[str, list[dict[str, dict[str, dict[str, str]]]]]]) -> float:
    texts = [container["resources"].get("limits", {}).get("cpu", "0") for container in pod["spec"]["containers"]]
    return sum(float(text[:-1]) / 1000 if text.endswith("m") else float(text) for text in texts)


@contextmanager
def watched(use: Use) -> Iterator[None]:
    """Look again and again while the block runs."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            use.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# A pod and an agent for each Workflow, on whatever machine this is.
@pytest.mark.timeout(600, func_only=True)
def test_thirty_at_once_into_room_for_twenty_fill_no_target_over_its_quota_and_all_run(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace(west=PER_TARGET, east=PER_TARGET)
    use = Use(workspace.name)

    def filled() -> list[Row]:
        rows = rows_of(workspace.name)
        return rows if len([row for row in rows if row["cluster"]]) >= ROOM else []

    with watched(use), ThreadPoolExecutor(10) as people:
        names = list(people.map(lambda _: workspace.submit(*JOB), range(MANY)))
        # A pod counts twice until it is seen: somebody may have been queued for that moment.
        after_the_rush = eventually(filled, "twenty are placed", within=60)
        eventually(
            lambda: all(row["state"] == "ended" and row["mirrored"] for row in rows_of(workspace.name)),
            "all thirty have ended",
            within=300,
        )
    rows = rows_of(workspace.name)
    # On a busy machine the first have ended before the last are submitted, and given their room on.
    assert len([row for row in after_the_rush if row["cluster"] and not row["released_at"]]) <= ROOM
    assert {row["phase"] for row in rows} == {"Succeeded"}
    assert sorted(row["name"] for row in rows) == sorted(names)
    assert sorted(name for _, name in runs_in(workspace.name)) == sorted(names)
    assert all(most <= ROOM for most in use.most.values()), use.most


def test_who_was_queued_first_is_placed_first_and_is_told_why_it_waits(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace(west=("2", "5Gi"), east=("1", "5Gi"))
    # It would never end by itself: on however slow a machine, the room is taken while the others are submitted.
    first = workspace.create(FULL)
    assert cluster_of(workspace.name, first) == "west"
    waiting = [workspace.submit("executor_num=1", "seconds=1") for _ in range(2)]

    def told(name: str) -> bool:
        # Less than nothing is free as long as the first one's pod counts twice.
        return "west: free 0 cpu" in annotations(origin(workspace.name, name)).get("reason", "")

    for name in waiting:
        eventually(partial(told, name), f"{name} is told why it waits")
        marks = annotations(origin(workspace.name, name))
        assert marks["state"] == "queued"
        assert "cluster" not in marks
    workspace.argo("delete", first).ok()
    for name in waiting:
        workspace.wait(name).ok()
    placed = [ledger_row(workspace.name, name)["placed_at"] for name in [first, *waiting]]
    assert placed == sorted(placed)
    assert "reason" not in annotations(origin(workspace.name, waiting[1]))


def test_a_queued_workflow_that_is_deleted_never_runs(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace(west=("2", "5Gi"), east=("1", "5Gi"))
    assert cluster_of(workspace.name, workspace.create(FULL)) == "west"
    waiting = workspace.submit("executor_num=1")
    workspace.argo("delete", waiting).ok()
    eventually(lambda: ledger_row(workspace.name, waiting)["state"] == "deleted", "the queued Workflow is gone")
    assert waiting not in [name for _, name in runs_in(workspace.name)]


def test_what_waits_can_be_stopped_and_suspended(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace(west=("2", "5Gi"), east=("1", "5Gi"))
    first = workspace.create(FULL)
    assert cluster_of(workspace.name, first) == "west"
    stopped, suspended = (workspace.submit("executor_num=1", "seconds=1") for _ in range(2))
    workspace.argo("stop", stopped).ok()
    workspace.argo("suspend", suspended).ok()
    assert workspace.wait(stopped).code == 1
    shown = origin(workspace.name, stopped)["status"]
    assert (shown["phase"], shown["message"]) == ("Failed", "Stopped with strategy 'Stop'")
    workspace.argo("delete", first).ok()

    def run_is_suspended() -> bool:
        run = workflow("west", workspace.name, suspended)
        return run is not None and run["spec"].get("suspend") is True

    eventually(run_is_suspended, "the one that waited runs, suspended")
    workspace.argo("resume", suspended).ok()
    workspace.wait(suspended).ok()
    assert stopped not in [name for _, name in runs_in(workspace.name)]


def test_a_workflow_queued_for_want_of_a_quota_runs_when_an_administrator_adds_one(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace(west=("1", "1Gi"), east=("1", "1Gi"))
    for cluster in TARGETS:
        workspace.kubectl("delete", "quota", "compute", cluster=cluster).ok()
    name = workspace.submit("executor_num=0", "seconds=1")
    for cluster in TARGETS:
        workspace.kubectl("create", "quota", "more", "--hard=limits.cpu=4,limits.memory=4Gi", cluster=cluster).ok()
    workspace.wait(name).ok()
