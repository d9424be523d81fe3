"""Where a target lets Medea act as others, the run is created as who has submitted it, however much later that is."""

from collections.abc import Callable

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import LOSE, MEDEA, Call, Fault, answer
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import State
from webhook.model.submitter import Submitter

ANN = Submitter("ann", ("team-a",))


@pytest.fixture
def acting(world: World) -> World:
    """On west Medea acts as others."""
    world.registry.impersonated = {"west": frozenset({"team-a"})}
    return world


def refused_to(user: str, verb: str = "create") -> Callable[[Call], Fault | None]:
    """RBAC refuses this user that verb, in Kubernetes' own words."""

    def refuse(call: Call) -> Fault | None:
        if (call.user, call.verb, call.resource) != (user, verb, WORKFLOWS.plural):
            return None
        words = f'workflows.argoproj.io is forbidden: User "{user}" cannot {verb} resource "workflows"'
        return answer(403, f'{words} in API group "argoproj.io" in the namespace "ns"', "Forbidden")

    return refuse


def creators(world: World, on: str = "west") -> list[str]:
    """As whom runs were created."""
    return [call.user for call in world.targets[on].calls if call.verb == "create" and call.resource == "workflows"]


def test_the_run_is_created_as_who_has_submitted_it_and_all_else_is_medeas(acting: World) -> None:
    acting.place(submitter=ANN)
    acting.settle()
    assert acting.row().state is State.RUNNING
    assert creators(acting) == ["ann"]
    assert {call.user for call in acting.west.calls if call.verb != "create"} == {MEDEA}


def test_a_right_that_was_withdrawn_is_said_on_the_origin_and_asked_for_again_later(acting: World) -> None:
    acting.west.faults = refused_to("ann")
    acting.place(submitter=ANN)
    acting.settle()
    words = "ann may not create workflows.argoproj.io in namespace ns on west"
    assert (acting.row().state, acting.row().cluster, acting.row().refused_by) == (State.QUEUED, None, {})
    assert words in str(acting.origin()["metadata"]["annotations"]["medea.dev/reason"])
    assert acting.placer.barred == [("p1", "west", words)]
    # Others of the namespace go on there.
    assert acting.placer.paused == [] and acting.acceptance.refusal("ns", "west") is None
    assert "RefusedByTarget" in acting.recorder.reasons


def test_a_run_that_a_lost_answer_has_left_is_found_although_its_right_is_gone(acting: World) -> None:
    acting.fail("west", LOSE, verb="create")
    acting.place(submitter=ANN)
    acting.watch()
    acting.look()
    acting.west.faults = refused_to("ann")
    acting.settle()
    assert (acting.row().state, acting.row().cluster) == (State.RUNNING, "west")


@pytest.mark.parametrize("who", [None, Submitter("system:admin")])
def test_what_nobody_has_submitted_that_medea_may_be_waits_and_no_run_is_missed(
    acting: World, who: Submitter | None
) -> None:
    acting.registry.impersonated = {}
    acting.fail("west", LOSE, verb="create")
    acting.place(submitter=who)
    acting.place("p2", submitter=who)
    acting.watch()
    acting.look()
    acting.west.faults = lambda _call: None
    acting.registry.impersonated = {"west": frozenset()}
    acting.settle()
    states = {acting.row(one).state for one in ("p1", "p2")}
    assert states <= {State.RUNNING, State.QUEUED}
    runs = acting.west.all(WORKFLOWS)
    assert len(runs) == sum(acting.row(one).state is State.RUNNING for one in ("p1", "p2"))
    waiting = [one for one in ("p1", "p2") if acting.row(one).state is State.QUEUED]
    assert all("only as who has submitted them" in str(acting.row(one).reason) for one in waiting)
