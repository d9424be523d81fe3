"""However long a target is away or unregistered: nothing that was accepted ends by it, and no thread is lost to it."""

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import HANG, LOSE
from webhook.controller.resting import Rest
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.model.contract import FINALIZER, Hold, State
from webhook.model.limits.controller import AWAY_GRACE, WORKERS_PER_TARGET
from webhook.model.verbs import Retry, Verb

HOUR, DAY = 3600.0, 86400.0


def test_what_no_create_was_tried_for_goes_back_to_the_queue_once_its_target_is_away_for_a_while(world: World) -> None:
    world.cut_off("west")
    world.place()
    world.settle(2)
    assert world.row().state is State.RESERVED
    world.settle(int(AWAY_GRACE) + 2)
    assert (world.row().state, world.row().cluster) == (State.QUEUED, None)
    assert "west has not answered since 2026-01-01" in str(world.row().reason)
    assert world.origin()["metadata"]["annotations"]["medea.dev/state"] == "queued"
    assert "Queued" in world.recorder.reasons


def test_a_run_that_may_exist_is_waited_for_a_whole_day_and_then_found(world: World) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    world.cut_off("west")
    world.wait(DAY)
    assert (world.row().state, world.row().cluster) == (State.RESERVED, "west")
    world.bring_back("west")
    world.settle()
    assert world.row().state is State.RUNNING
    assert len(world.calls("west", "create")) == 1


@pytest.mark.parametrize("hold", Hold)
def test_a_running_placement_says_once_that_its_target_is_away_and_stops_saying_so_when_it_is_back(
    world: World, hold: Hold
) -> None:
    world.place(hold=hold)
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "progress": "1/2"}})
    world.settle()
    shown = world.origin().get("status")
    world.cut_off("west")
    world.settle(1)
    world.wait(HOUR)
    marks = world.origin()["metadata"]["annotations"]
    assert marks["medea.dev/reason"].startswith("target west has not answered since 2026-01-01T00:00")
    assert world.origin().get("status") == shown
    assert world.recorder.reasons.count("TargetAway") == 1
    assert world.row().state is State.RUNNING
    world.bring_back("west")
    world.settle()
    assert "medea.dev/reason" not in world.origin()["metadata"]["annotations"]


def test_a_controller_that_starts_while_a_target_is_away_ends_nothing_and_wipes_nothing(world: World) -> None:
    world.place(hold=Hold.NONE)
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "progress": "1/2"}})
    world.settle()
    world.register("west")
    world.cut_off("west")
    world.wait(HOUR)
    assert world.row().state is State.RUNNING
    assert world.origin()["status"] == {"phase": "Running", "progress": "1/2"}
    assert "medea.dev/reason" in world.origin()["metadata"]["annotations"]


def test_an_end_that_came_during_an_outage_is_recorded_after_it(world: World) -> None:
    world.place()
    world.settle()
    world.cut_off("west")
    world.wait(HOUR)
    world.end_run("Failed", message="exit code 3")
    world.bring_back("west")
    world.settle()
    assert (world.row().state, world.row().phase, world.row().message) == (State.ENDED, "Failed", "exit code 3")
    assert world.origin()["status"]["phase"] == "Failed"


def test_an_origin_that_is_deleted_waits_for_a_run_that_may_exist_and_goes_at_once_without_one(world: World) -> None:
    world.place("p1")
    world.settle()
    world.cut_off("west")
    world.place("p2")
    for placement in ("p1", "p2"):
        world.front.remove(WORKFLOWS, "ns", f"job-{placement}")
    world.settle()
    assert world.row("p2").state is State.DELETED
    assert world.front.get(WORKFLOWS, "ns", "job-p2") is None
    world.wait(HOUR)
    assert world.row("p1").state is State.DELETING
    assert FINALIZER in world.origin("p1")["metadata"]["finalizers"]
    world.bring_back("west")
    world.settle(6)
    assert world.run("p1") is None
    assert world.row("p1").state is State.DELETED
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None


def test_an_unregistered_target_is_waited_for_like_one_that_is_away(world: World) -> None:
    world.place("p1")
    world.settle()
    world.unregister("west")
    world.place("p2")
    world.wait(DAY)
    assert (world.row("p1").state, world.row("p2").state) == (State.RUNNING, State.QUEUED)
    reason = world.origin("p1")["metadata"]["annotations"]["medea.dev/reason"]
    assert reason == "target west is not registered at this front door"
    world.end_run(placement="p1")
    world.register("west")
    world.settle(6)
    assert world.row("p1").phase == "Succeeded"


def test_a_verb_waits_for_its_target_and_is_done_when_it_is_back(world: World) -> None:
    world.place()
    world.settle()
    world.cut_off("west")
    world.ask(Verb("ann", shutdown="Stop"))
    world.wait(HOUR)
    world.bring_back("west")
    world.settle()
    run = world.run()
    assert run is not None and run["spec"]["shutdown"] == "Stop"
    assert "medea.dev/verbs" not in world.origin()["metadata"]["annotations"]


def test_a_retry_of_an_unregistered_target_neither_reopens_nor_ends(world: World) -> None:
    world.place()
    world.settle()
    world.end_run("Failed")
    world.settle()
    world.unregister("west")
    world.ask(Verb("ann", retry=Retry(world.row().message)))
    world.wait(HOUR)
    assert (world.row().state, world.row().phase) == (State.ENDED, "Failed")


def test_an_outage_of_a_day_costs_hardly_a_look(world: World) -> None:
    for number in range(5):
        world.place(f"p{number}")
    world.settle()
    world.cut_off("west")
    world.wait(60.0)
    looks = 0
    for _ in range(100):
        world.clock.advance(30.0)
        world.parts.loop.wake()
        world.parts.sweep.run()
        looks += world.look()
    assert looks <= 5


def test_the_other_target_is_served_while_one_hangs(world: World) -> None:
    for number in range(20):
        world.place(f"w{number}", on="west")
    world.place("e1", on="east")
    world.watch()
    world.west.faults = lambda _call: HANG
    taken = [world.parts.work.get(wait=False) for _ in range(2 * WORKERS_PER_TARGET)]
    assert len([key for key in taken if key is not None and key.startswith("w")]) < WORKERS_PER_TARGET
    assert "e1" in taken


def test_another_namespace_of_a_target_is_served_while_creates_hang_in_one(world: World) -> None:
    for number in range(20):
        world.place(f"w{number}", on="west")
    world.watch()
    taken = [key for _ in range(20) if (key := world.parts.work.get(wait=False))]
    assert len(taken) == WORKERS_PER_TARGET - 1
    for server in (world.front, world.west):
        server.namespace("other")
    world.place("p1", on="west", namespace="other")
    world.watch()
    world.parts.loop.turn(wait=False)
    assert world.row("p1").state is State.RUNNING


def test_one_that_failed_for_a_day_is_tried_within_five_seconds_when_the_front_door_is_back(world: World) -> None:
    world.place()
    world.watch()
    fault = {"on": True}
    world.front.faults = lambda call: HANG if fault["on"] and call.verb != "watch" else None
    for _ in range(2000):
        world.look()
        world.clock.advance(43.0)
    fault["on"] = False
    world.settle(7)
    assert world.row().state is State.RUNNING
    assert placements.sweepable(world.pool, 0, 9)[0].state is State.RUNNING


def test_a_target_that_is_back_before_a_placement_is_noted_as_waiting_for_it_keeps_it_from_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its return is told once, and that was too early for this one."""
    leave = world.parts.loop._resting.leave

    def too_late(placement: str, rest: Rest) -> None:
        if rest.waits_for:
            world.bring_back("west")
            world.parts.loop.wake()
        leave(placement, rest)

    world.cut_off("west")
    world.place()
    world.watch()
    world.parts.loop.wake()
    monkeypatch.setattr(world.parts.loop._resting, "leave", too_late)
    world.settle()
    assert world.row().state is State.RUNNING


def test_after_a_short_outage_what_waited_goes_on_within_a_second_without_a_sweep(world: World) -> None:
    world.cut_off("west")
    world.place()
    world.settle(3)
    assert world.row().state is State.RESERVED
    world.bring_back("west")
    world.parts.loop.wake()
    world.look()
    assert world.row().state is State.RUNNING
