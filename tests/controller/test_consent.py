"""A target's namespace no longer lets Medea in: the origin says so, and what can go elsewhere does."""

from collections.abc import Callable

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import LOSE, Call, Fault, answer
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.model.contract import State
from webhook.model.limits.kube import RETRY_LONGEST_BLOCKED
from webhook.model.verbs import Verb

HOUR = 3600.0


def closed(*verbs: str) -> Callable[[Call], Fault | None]:
    """RBAC refuses these verbs, in Kubernetes' own words."""

    def refuse(call: Call) -> Fault | None:
        if call.verb not in verbs or call.resource != WORKFLOWS.plural or call.namespace is None:
            return None
        words = f'workflows.argoproj.io "job-p1" is forbidden: User "medea" cannot {call.verb} resource "workflows"'
        return answer(403, f'{words} in API group "argoproj.io" in the namespace "ns"', "Forbidden")

    return refuse


def reason(world: World) -> str:
    return str(world.origin()["metadata"]["annotations"].get("medea.dev/reason"))


def test_a_create_that_is_not_allowed_was_not_done_so_it_goes_back_to_the_queue_with_the_reason(world: World) -> None:
    world.west.faults = closed("create")
    world.place()
    world.settle()
    assert (world.row().state, world.row().cluster, world.row().refused_by) == (State.QUEUED, None, {})
    assert "west: does not accept work from namespace ns: `medea target add west --namespaces ns`" in reason(world)
    assert world.acceptance.refusal("ns", "west") and world.placer.paused == []
    assert "RefusedByTarget" in world.recorder.reasons


def test_where_only_a_right_on_templates_is_missing_the_target_is_left_out_for_a_while(world: World) -> None:
    words = 'workflowtemplates.argoproj.io "t" is forbidden: User "medea" cannot get resource "workflowtemplates"'
    world.west.faults = lambda call: (
        answer(403, words, "Forbidden") if call.resource == WORKFLOW_TEMPLATES.plural else None
    )
    named = {"kind": "WorkflowTemplate", "metadata": {"name": "t"}, "spec": {}}
    spec = {"workflowTemplateRef": {"name": "t"}}
    world.place(original={"workflow": {"metadata": {}, "spec": spec}, "templates": [named]})
    world.settle()
    assert (world.row().state, world.row().refused_by, world.run()) == (State.QUEUED, {}, None)
    assert "cannot get resource" in reason(world)
    assert world.placer.paused == [("ns", "west")] and world.acceptance.refusal("ns", "west")


def test_a_run_that_may_exist_is_looked_for_before_that(world: World) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    world.west.faults = closed("create")
    world.settle()
    assert (world.row().state, world.row().cluster) == (State.RUNNING, "west")


def test_while_nothing_can_be_read_there_it_waits_says_so_and_asks_less_and_less_often(world: World) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    world.west.faults = closed("get", "create")
    world.wait(600)
    assert (world.row().state, world.row().cluster) == (State.RESERVED, "west")
    assert "cannot get resource" in reason(world)
    assert world.recorder.reasons.count("Blocked") == 1
    asked = len(world.calls("west", "get"))
    world.wait(HOUR)
    assert len(world.calls("west", "get")) - asked <= 2 * HOUR / RETRY_LONGEST_BLOCKED
    world.west.faults = lambda _call: None
    world.wait(2 * RETRY_LONGEST_BLOCKED)
    assert world.row().state is State.RUNNING
    assert reason(world) == "None"


@pytest.mark.parametrize("what", ["a verb", "a deletion"])
def test_what_a_person_asks_for_waits_and_the_origin_says_why(world: World, what: str) -> None:
    world.place()
    world.settle()
    world.west.faults = closed("patch", "delete")
    if what == "a verb":
        world.ask(Verb("ann", shutdown="Stop"))
    else:
        world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert "cannot patch resource" in reason(world)
    assert "Blocked" in world.recorder.reasons
    world.west.faults = lambda _call: None
    world.wait(2 * RETRY_LONGEST_BLOCKED)
    run = world.run()
    assert run is None if what == "a deletion" else run is not None and run["spec"]["shutdown"] == "Stop"
