"""A run's end reaches its origin, whatever the run holds and whatever the origin can hold."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.controller_world import World
from tests.support.fake_apiserver import HANG, ApiError, Call, Fault, answer
from webhook.controller.origin_status.by_hold import NO_TREE
from webhook.errors import Conflict
from webhook.kube.client import Cluster
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.model.contract import Hold, State
from webhook.model.nodes import nodes_of, pack

TOO_LARGE = [
    ApiError(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", {"name": "job-p1"}),
    ApiError(500, "", "etcdserver: request is too large"),
]


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize(
    "odd",
    [
        {"message": {"not": "a text"}},
        {"message": "a\x00b", "outputs": "\ud800"},
        {"nodes": ["x"], "conditions": 7, "outputs": []},
        {"compressedNodes": "!", "resourcesDuration": None, "artifactRepositoryRef": "s3"},
    ],
    ids=["message", "letters", "nodes", "more"],
)
def test_an_end_of_any_shape_is_recorded_and_shown(world: World, hold: Hold, odd: dict[str, Any]) -> None:
    world.place(hold=hold)
    world.settle()
    world.end_run("Failed", **odd)
    world.settle()
    assert (world.row().state, world.row().phase) == (State.ENDED, "Failed")
    assert world.origin()["status"]["phase"] == "Failed"
    assert world.row().end_shown


def test_an_end_that_is_packed_and_nested_deeper_than_python_follows_is_recorded_and_shown(world: World) -> None:
    deep: dict[str, Any] = {}
    for _ in range(480):
        deep = {"a": deep}
    world.place()
    world.settle()
    world.end_run(compressedNodes=pack({"job-p1": {"id": "job-p1", "name": "job-p1", "inputs": deep}}))
    world.watch()
    world.clock.advance(1)
    world.parts.loop.turn(wait=False)
    assert world.row().state is State.ENDED
    assert world.origin()["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("too_large", TOO_LARGE, ids=["for the apiserver", "for etcd"])
def test_an_end_that_is_too_large_for_the_origin_is_shown_without_its_tree(
    world: World, hold: Hold, too_large: ApiError
) -> None:
    world.place(hold=hold)
    world.settle()

    def refuse(call: Call, thing: dict[str, Any]) -> ApiError | None:
        return too_large if call.verb == "patch" and "outputs" in thing.get("status", {}) else None

    world.front.refuse_later = refuse
    node = {"id": "job-p1", "name": "job-p1", "type": "DAG", "phase": "Failed", "outputs": {"x": 1}}
    world.end_run("Failed", outputs={"parameters": [{"name": "x", "value": "y" * 999}]}, nodes={"job-p1": node})
    world.settle()
    assert world.origin()["status"]["phase"] == "Failed"
    assert "nodes" not in world.origin()["status"]
    assert world.row().end_shown
    assert "EndCut" in world.recorder.reasons


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("too_large", TOO_LARGE, ids=["for the apiserver", "for etcd"])
def test_a_running_tree_that_is_too_large_is_left_out_and_said_once_and_its_end_is_shown(
    world: World, hold: Hold, too_large: ApiError
) -> None:
    def refuse(_call: Call, thing: dict[str, Any]) -> ApiError | None:
        return too_large if len(nodes_of(thing)) > 2 else None

    world.place(hold=hold)
    world.settle()
    if hold is Hold.PLUGIN:
        stub = {"job-p1": {"id": "job-p1", "name": "job-p1", "type": "DAG", "phase": "Running"}}
        world.front.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "nodes": stub}})
    world.front.refuse_later = refuse
    for count in (3, 4):
        nodes = {f"job-p1-{number}": {"id": f"job-p1-{number}", "phase": "Running"} for number in range(count)}
        nodes["job-p1"] = {"id": "job-p1", "name": "job-p1", "type": "DAG", "phase": "Running"}
        world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "nodes": nodes}})
        world.settle()
        assert NO_TREE in [node.get("message") for node in nodes_of(world.origin()).values()]
    before = len(world.calls("front", "patch"))
    world.wait(600)
    assert len(world.calls("front", "patch")) == before
    assert world.recorder.reasons.count("TreeCut") == 1
    world.end_run("Failed")
    world.settle()
    assert (world.origin()["status"]["phase"], world.row().end_shown) == ("Failed", True)


def test_a_run_that_is_deleted_on_its_target_ends_as_error_with_what_was_seen_of_it(world: World) -> None:
    world.place()
    world.settle()
    world.west.remove(WORKFLOWS, "ns", "job-p1")
    world.settle()
    assert (world.row().phase, world.row().message) == ("Error", "the run was deleted on west before it had ended")
    assert world.run() is None


def test_an_unanswered_patch_that_is_carried_out_after_the_end_does_not_undo_it(world: World) -> None:
    """The front door's apiserver had it in hand all the time, e.g. while a webhook was slow."""
    late: list[Call] = []

    def faults(call: Call) -> Fault | None:
        if call.verb != "patch" or late:
            return None
        late.append(call)
        return HANG

    world.place(hold=Hold.NONE)
    world.front.faults = faults
    world.settle()
    world.end_run()
    world.settle()
    front = Cluster("front", Configuration(), http=world.front, clock=world.clock)
    with pytest.raises(Conflict):
        front.patch(WORKFLOWS, "ns", "job-p1", late[0].body)
    world.wait(60)
    assert world.origin()["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize(
    "odd", [{"finishedAt": "soon"}, {"startedAt": 5}, {"progress": {"a": 1}}, {"conditions": [{"type": 3}]}], ids=str
)
def test_an_end_that_the_front_doors_schema_refuses_is_shown_all_the_same(
    world: World, hold: Hold, odd: dict[str, Any]
) -> None:
    def refuse(_call: Call, thing: dict[str, Any]) -> ApiError | None:
        status = thing.get("status") or {}
        times = [status[key] for key in ("startedAt", "finishedAt") if status.get(key) is not None]
        conditions = [one.get("type") for one in status.get("conditions") or []]
        texts = [*times, *conditions, status.get("progress") or ""]
        good = all(isinstance(one, str) for one in texts) and "soon" not in times
        return None if good else ApiError(422, "Invalid", "status: Invalid value", {"name": "job-p1"})

    world.place(hold=hold)
    world.settle()
    world.front.refuse_later = refuse
    world.end_run(**{"phase": "Succeeded", **odd})
    world.settle()
    assert world.origin()["status"]["phase"] == "Succeeded"
    assert world.row().end_shown


def test_an_agent_that_may_not_be_deleted_does_not_keep_the_run_on_its_target(world: World) -> None:
    world.place()
    labels = {"workflows.argoproj.io/workflow": "job-p1", "workflows.argoproj.io/component": "agent"}
    world.front.put(PODS, {"metadata": {"name": "agent", "namespace": "ns", "labels": labels}})
    world.settle()
    policy = answer(403, "the policy keeps all pods", "Forbidden")
    world.front.faults = lambda call: policy if (call.verb, call.resource) == ("delete", "pods") else None
    world.end_run()
    world.settle(6)
    assert world.row().end_shown
    world.west.remove(WORKFLOWS, "ns", "job-p1")
    assert world.run() is None
    assert world.front.get(PODS, "ns", "agent") is not None


def test_the_agent_of_the_run_is_no_agent_of_the_origin_and_stays_shown(world: World) -> None:
    world.place()
    labels = {"workflows.argoproj.io/workflow": "job-p1", "workflows.argoproj.io/component": "agent"}
    for name, more in (("own", {}), ("shown", {"medea.dev/mirrored": "west"})):
        world.front.put(PODS, {"metadata": {"name": name, "namespace": "ns", "labels": {**labels, **more}}})
    world.settle()
    world.end_run()
    world.settle()
    assert [one["metadata"]["name"] for one in world.front.all(PODS, "ns")] == ["shown"]


def test_what_argo_notes_after_an_end_is_shown_and_once(world: World) -> None:
    """It deletes artifacts then, and says so in the status of a run that has ended."""
    world.place(hold=Hold.NONE)
    world.settle()
    world.end_run(nodes={"job-p1": {"id": "job-p1", "name": "job-p1", "phase": "Succeeded"}})
    world.settle()
    deleted = {"artifacts": [{"name": "a", "deleted": True}]}
    later = {
        "nodes": {"job-p1": {"outputs": deleted}},
        "artifactGCStatus": {"strategiesProcessed": {"OnWorkflowCompletion": True}},
        "conditions": [{"type": "ArtifactGCError", "status": "True", "message": "no"}],
    }
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": later})
    world.settle()
    shown, run = world.origin()["status"], world.run()
    assert run is not None and shown == run["status"]
    assert shown["nodes"]["job-p1"]["outputs"] == deleted
    patches = len(world.calls("front", "patch"))
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"annotations": {"x": "y"}}})
    world.settle()
    assert len(world.calls("front", "patch")) == patches


def test_an_end_whose_tree_was_refused_is_left_as_it_is_shown(world: World) -> None:
    world.place(hold=Hold.NONE)
    world.settle()

    def refuse(call: Call, thing: dict[str, Any]) -> ApiError | None:
        return TOO_LARGE[0] if call.verb == "patch" and "outputs" in thing.get("status", {}) else None

    world.front.refuse_later = refuse
    world.end_run("Failed", outputs={"parameters": [{"name": "x", "value": "y" * 999}]})
    world.settle()
    shown = world.origin()["status"]
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"artifactGCStatus": {"notSpecified": True}}})
    world.settle()
    assert world.origin()["status"] == shown
    assert world.parts.loop.turn(wait=False) is False
