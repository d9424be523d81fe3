"""One accepted Workflow becomes exactly one run, whatever is lost or refused on the way."""

from collections.abc import Callable

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import LOSE, RESET, ApiError, Call, Fault, answer
from webhook.kube.resources import NAMESPACES, WORKFLOWS
from webhook.model.contract import State
from webhook.model.limits.controller import COPY_HEARD


def test_a_placement_becomes_a_run_and_the_origin_says_so(world: World) -> None:
    world.place()
    world.settle()
    row, run = world.row(), world.run()
    assert run is not None
    assert (row.state, row.run_uid) == (State.RUNNING, run["metadata"]["uid"])
    assert world.origin()["metadata"]["annotations"]["medea.dev/state"] == "running"
    assert world.recorder.reasons == ["Placed", "Dispatched"]


@pytest.mark.parametrize("lost", [LOSE, RESET])
def test_a_create_whose_answer_is_lost_is_not_done_again(world: World, lost: Fault) -> None:
    world.fail("west", lost, verb="create")
    world.place()
    world.settle()
    assert world.row().state is State.RUNNING
    assert len(world.calls("west", "create")) == 1


REFUSALS = [
    ApiError(403, "Forbidden", 'workflows "job-p1" is forbidden: exceeded quota: objects', {"name": "job-p1"}),
    ApiError(422, "Invalid", "admission webhook denied the request: no more", {"name": "job-p1"}),
]


def refusing(refusal: ApiError) -> Callable[[Call, object], ApiError | None]:
    """Every create is refused, before it is looked whether the name is taken."""
    return lambda call, _: refusal if call.verb == "create" else None


@pytest.mark.parametrize("refusal", REFUSALS, ids=["a full quota", "a policy"])
def test_a_refusal_after_a_lost_answer_does_not_lead_to_a_second_run(world: World, refusal: ApiError) -> None:
    """The first create took the last slot of the quota; it was done, and nobody heard of it."""
    world.place()
    world.fail("west", LOSE, verb="create")
    world.watch()
    world.look()
    assert world.run() is not None and world.row().state is State.RESERVED

    world.west.refuse_later = refusing(refusal)
    world.settle(10)
    assert (world.row().state, world.row().cluster) == (State.RUNNING, "west")


def test_a_create_that_is_carried_out_late_is_found_when_the_next_one_is_refused(world: World) -> None:
    world.place()
    world.fail("west", answer(503), verb="create")
    world.watch()
    world.look()
    late = {**world.calls("west", "create")[0].body}
    late["metadata"] = {**late["metadata"], "namespace": "ns"}

    def refuse(call: Call, _: object) -> ApiError | None:
        if call.verb != "create":
            return None
        world.west.put(WORKFLOWS, late)
        return REFUSALS[0]

    world.west.refuse_later = refuse
    world.settle(10)
    assert (world.row().state, world.row().cluster) == (State.RUNNING, "west")


def test_a_run_that_exists_is_adopted_before_its_templates_are_looked_at(world: World) -> None:
    templates = [{"kind": "WorkflowTemplate", "metadata": {"name": "t"}, "spec": {"entrypoint": "x"}}]
    spec = {"workflowTemplateRef": {"name": "t"}}
    world.place(original={"workflow": {"metadata": {}, "spec": spec}, "templates": templates})
    world.fail("west", LOSE, verb="create")
    world.watch()
    world.look()
    # The copy is there, and Argo has heard of it.
    world.clock.advance(COPY_HEARD)
    world.look()
    asked = len([call for call in world.west.calls if call.resource == "workflowtemplates"])
    world.settle(10)
    assert world.row().state is State.RUNNING
    assert len([call for call in world.west.calls if call.resource == "workflowtemplates"]) == asked


def test_a_target_that_refuses_is_out_of_the_question_and_one_whose_quota_is_full_is_not(world: World) -> None:
    for placement, refusal in zip(("p1", "p2"), REFUSALS, strict=True):
        world.west.refuse_later = refusing(refusal)
        world.place(placement)
        world.settle()
    assert [world.row(placement).state for placement in ("p1", "p2")] == [State.QUEUED, State.QUEUED]
    assert world.row("p1").refused_by == {}
    assert world.placer.paused == [("ns", "west")]
    assert "exceeded quota" in str(world.row("p1").reason)
    assert world.row("p2").refused_by.keys() == {"west"}
    assert world.recorder.reasons.count("RefusedByTarget") == 2


@pytest.mark.parametrize(
    "words",
    [
        "etcdserver: request is too large",
        "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2105432 vs. 2097152)",
    ],
)
def test_a_run_that_is_too_large_for_a_targets_etcd_is_refused_and_the_target_stays_well(
    world: World, words: str
) -> None:
    world.place()
    world.west.faults = lambda call: answer(500, words) if call.verb == "create" else None
    world.settle()
    assert world.row().state is State.QUEUED
    assert words in world.row().refused_by["west"]
    assert world.registry.known["west"].health.well


def test_a_name_that_a_stranger_has_is_made_the_runs_own(world: World) -> None:
    world.west.put(WORKFLOWS, {"metadata": {"name": "job-p1", "namespace": "ns"}, "spec": {}})
    world.place()
    world.settle()
    run = world.run()
    assert run is not None and run["metadata"]["name"] == world.row().run_name != "job-p1"


CANNOT = (
    'workflows.argoproj.io is forbidden: User "medea" cannot create resource "workflows" in API group "argoproj.io"'
)


def test_a_target_that_no_longer_accepts_the_namespace_gives_the_workflow_back_to_the_queue(world: World) -> None:
    world.fail("west", answer(403, CANNOT, "Forbidden"), verb="create")
    world.place()
    world.settle()
    row = world.row()
    assert (row.state, row.cluster) == (State.QUEUED, None)
    assert "west: does not accept work from namespace ns" in str(row.reason)
    assert "does not accept work from namespace ns" in str(world.acceptance.refusal("ns", "west"))


def test_a_target_on_which_the_namespace_is_made_anew_is_only_left_out_for_a_while(world: World) -> None:
    held = {"name": "other", "namespace": "ns", "finalizers": ["medea.dev/run"]}
    world.west.put(WORKFLOWS, {"metadata": held, "spec": {}})
    world.west.remove(NAMESPACES, "", "ns")
    world.place()
    world.settle()
    row = world.row()
    assert (row.state, row.cluster, row.refused_by) == (State.QUEUED, None, {})
    assert "because it is being terminated" in str(row.reason)
    assert world.placer.paused == [("ns", "west")]


def test_a_target_that_does_not_have_the_namespace_is_only_left_out_for_a_while(world: World) -> None:
    """Who submitted it may create Workflows in every namespace there, but just then this one is made anew."""
    gone = ApiError(404, "NotFound", 'namespaces "ns" not found', {"name": "ns", "kind": "namespaces"})
    world.west.refuse_later = refusing(gone)
    world.place()
    world.settle()
    row = world.row()
    assert (row.state, row.cluster, row.refused_by) == (State.QUEUED, None, {})
    assert world.placer.paused == [("ns", "west")]


def test_a_run_that_is_there_is_adopted_although_the_namespace_is_no_longer_accepted(world: World) -> None:
    """The create was carried out, its answer got lost, and then the binding was removed."""
    world.place()
    world.fail("west", LOSE, verb="create")
    world.watch()
    world.look()
    world.fail("west", answer(403, CANNOT, "Forbidden"), verb="create")
    world.settle(10)
    assert (world.row().state, world.row().cluster) == (State.RUNNING, "west")


def test_a_target_on_which_medea_may_not_even_look_is_waited_for(world: World) -> None:
    """Whether an earlier create was carried out can't be known."""
    world.west.faults = lambda call: (
        answer(403, CANNOT.replace("create", call.verb), "Forbidden") if call.resource == "workflows" else None
    )
    world.place()
    world.settle(10)
    assert (world.row().state, world.row().cluster) == (State.RESERVED, "west")
