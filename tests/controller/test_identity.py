"""A target's Secret is pointed at another cluster: nothing ends by that, and nothing is created there."""

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import LOSE, FakeApiserver, answer
from webhook.kube.identity import SYSTEM
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import identities, placements
from webhook.model.contract import VERBS, State
from webhook.model.limits.controller import AWAY_GRACE
from webhook.model.limits.kube import IDENTIFY_EVERY
from webhook.model.verbs import Retry, Verb

HOUR = 3600.0


def another(world: World) -> FakeApiserver:
    """Another cluster, with the same namespaces."""
    other = FakeApiserver("other", clock=world.clock, seed=7)
    other.namespace("ns")
    other.namespace(SYSTEM)
    return other


def point(world: World, at: FakeApiserver, *, new_secret: bool = True) -> FakeApiserver:
    """Have `west` lead to another cluster, by its Secret or behind its address; returns the one before."""
    before, world.targets["west"] = world.targets["west"], at
    if new_secret:
        world.register("west")
    else:
        world.registry.known["west"]._transport._calls = at
    return before


def come_back(world: World, west: FakeApiserver) -> None:
    """Have the address lead to the old one again, and let that be noticed."""
    point(world, west, new_secret=False)
    world.registry.known["west"].probe()
    world.wait(60)


def ask_while_another_answers(world: World, verb: Verb) -> None:
    """The verb stays noted until the old one is back, which it is then, and is done there."""
    world.ask(verb)
    west = point(world, another(world), new_secret=False)
    world.settle(6)
    assert VERBS in world.origin()["metadata"]["annotations"]
    come_back(world, west)
    assert "TooLate" not in world.recorder.reasons


@pytest.mark.parametrize("new_secret", [True, False], ids=["its Secret", "its address"])
def test_what_runs_there_waits_with_the_reason_and_goes_on_when_it_is_back(world: World, new_secret: bool) -> None:
    world.place()
    world.settle()
    west = point(world, another(world), new_secret=new_secret)
    world.clock.advance(IDENTIFY_EVERY)
    world.registry.known["west"].probe()
    world.wait(HOUR)
    assert world.row().state is State.RUNNING
    reason = world.origin()["metadata"]["annotations"]["medea.dev/reason"]
    assert reason.startswith("target west is another cluster now: its uid is ")
    assert world.recorder.reasons.count("TargetAway") == 1
    point(world, west, new_secret=new_secret)
    world.registry.known["west"].probe()
    world.end_run()
    world.wait(60)
    assert (world.row().state, world.row().phase) == (State.ENDED, "Succeeded")
    assert "medea.dev/reason" not in world.origin()["metadata"]["annotations"]


def test_a_run_that_the_other_one_does_not_have_is_not_gone(world: World) -> None:
    world.place()
    world.settle()
    other = another(world)
    other.compact()
    west = point(world, other, new_secret=False)
    world.settle(6)
    assert len(other.calls) and world.row().state is State.RUNNING
    point(world, west, new_secret=False)
    world.registry.known["west"].probe()
    world.end_run()
    world.wait(60)
    assert world.row().phase == "Succeeded"


@pytest.mark.parametrize("new_secret", [True, False], ids=["its Secret", "its address"])
def test_a_run_that_may_exist_on_the_old_one_is_not_created_on_the_new_one(world: World, new_secret: bool) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    other = another(world)
    west = point(world, other, new_secret=new_secret)
    world.wait(HOUR)
    assert (world.row().state, other.all(WORKFLOWS)) == (State.RESERVED, [])
    point(world, west, new_secret=new_secret)
    world.registry.known["west"].probe()
    world.wait(60)
    assert world.row().state is State.RUNNING
    assert len(west.all(WORKFLOWS, "ns")) == 1


def test_a_refusal_of_the_new_one_says_nothing_about_a_run_on_the_old_one(world: World) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    other = another(world)
    other.faults = lambda call: answer(422, "a policy") if call.verb == "create" else None
    point(world, other, new_secret=False)
    world.settle(6)
    assert (world.row().state, world.row().cluster) == (State.RESERVED, "west")


def test_an_origin_that_is_deleted_waits_for_the_run_on_the_old_one(world: World) -> None:
    world.place()
    world.settle()
    west = point(world, another(world), new_secret=False)
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.wait(HOUR)
    assert world.row().state is State.DELETING
    come_back(world, west)
    assert world.row().state is State.DELETED
    assert west.all(WORKFLOWS, "ns") == []


def test_a_verb_waits_for_the_old_one_and_is_not_too_late(world: World) -> None:
    world.place()
    world.settle()
    ask_while_another_answers(world, Verb("ann", shutdown="Stop"))
    run = world.run()
    assert run is not None and run["spec"]["shutdown"] == "Stop"
    assert VERBS not in world.origin()["metadata"]["annotations"]


def test_a_retry_waits_for_the_old_one_and_is_not_too_late(world: World) -> None:
    world.place()
    world.settle()
    world.end_run("Failed")
    world.settle()
    ask_while_another_answers(world, Verb("ann", retry=Retry(world.origin()["status"]["finishedAt"])))
    assert world.row().state is State.RUNNING


def test_what_no_create_was_tried_for_goes_elsewhere(world: World) -> None:
    world.registry.known["west"].probe()
    point(world, another(world))
    world.place()
    world.settle(int(AWAY_GRACE) + 4)
    assert (world.row().state, world.row().cluster) == (State.QUEUED, None)
    assert world.targets["west"].all(WORKFLOWS) == []


def test_it_is_used_once_the_old_one_is_forgotten(world: World) -> None:
    world.place()
    world.settle()
    other = another(world)
    point(world, other)
    world.wait(60)
    world.unregister("west")
    identities.forget(world.pool, "west")
    placements.lost(world.pool, "p1", "Lost: its target west is gone for good", cluster="west")
    world.register("west")
    world.place("p2")
    world.settle(6)
    assert world.row("p2").state is State.RUNNING
    assert len(other.all(WORKFLOWS, "ns")) == 1


def test_a_target_that_does_not_let_itself_be_told_goes_on_as_ever(world: World) -> None:
    closed = answer(403, 'namespaces "kube-system" is forbidden: User "medea" cannot get resource "namespaces"')
    world.west.faults = lambda call: closed if call.resource == "namespaces" else None
    world.place()
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    world.west.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert (world.row().state, world.row().phase) == (State.ENDED, "Error")
