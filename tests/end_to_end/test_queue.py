"""Workflows that wait for room: who came first goes first, is told why it waits, and can be steered meanwhile."""

from functools import partial

import pytest

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import TARGETS, annotations, cluster_of, origin, runs_in, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long

FULL = inline("sleep 100000", {**SMALL, "driver_cores_limit": "2"})
"""Takes two cores for as long as it is there."""


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
