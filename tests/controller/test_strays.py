"""Runs that a lost answer left behind go, and keep nothing waiting; ends are those of the run that is meant."""

import copy
from typing import Any

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import HANG, Call, answer
from tests.support.made import make_child
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.ledger import placements
from webhook.model.contract import FINALIZER, PLACEMENT, State

Object = dict[str, Any]


def stray(world: World, on: str = "east", **changes: Any) -> Object:
    """Make a second run of the placement on another target, or another object of the run's name on its own."""
    run = copy.deepcopy(world.run())
    assert run is not None
    metadata = {key: run["metadata"][key] for key in ("name", "namespace", "labels", "finalizers")}
    return world.targets[on].put(WORKFLOWS, {"metadata": {**metadata, **changes}, "spec": {}})


def test_a_stray_run_is_removed_and_the_run_stays(world: World) -> None:
    world.place()
    world.settle()
    stray(world)
    world.settle()
    assert world.run(on="east") is None
    assert world.run() is not None
    assert world.row().state is State.RUNNING


def test_a_stray_goes_although_argo_has_to_delete_artifacts_of_what_it_has_made(world: World) -> None:
    world.place()
    world.settle()
    make_child(world.east, stray(world))
    world.settle()
    assert world.run(on="east") is None
    assert world.east.get(PODS, "ns", "gc") is not None


def test_what_somebody_resubmits_on_a_target_with_the_runs_labels_is_left_alone(world: World) -> None:
    """`argo resubmit` copies every label, and gives a name of its own."""
    world.place()
    world.settle()
    stray(world, on="west", name="job-p1-x7k2p", finalizers=None)
    world.settle()
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle(8)
    assert world.row().state is State.DELETED
    assert world.west.get(WORKFLOWS, "ns", "job-p1") is None
    assert world.west.get(WORKFLOWS, "ns", "job-p1-x7k2p") is not None


def test_a_stray_on_a_target_that_is_away_does_not_keep_the_run_from_ending_and_goes_later(world: World) -> None:
    world.place()
    world.settle()
    stray(world)
    world.watch()
    world.cut_off("east")
    world.end_run()
    world.settle()
    assert world.row().state is State.ENDED
    world.bring_back("east")
    world.wait(60)
    assert world.run(on="east") is None


def test_a_stray_that_can_not_be_removed_does_not_keep_the_run_from_ending(world: World) -> None:
    world.place()
    world.settle()
    world.east.faults = lambda call: answer(403, "no") if call.verb in ("patch", "delete") else None
    stray(world)
    world.end_run()
    world.settle()
    assert world.row().state is State.ENDED
    assert world.origin()["status"]["phase"] == "Succeeded"
    world.east.faults = lambda _call: None
    world.settle(7)
    assert world.run(on="east") is None


def test_a_copy_that_is_deleted_is_let_go_although_a_stray_can_not_be_removed(world: World) -> None:
    world.place()
    world.settle()
    world.east.faults = lambda call: HANG if call.verb in ("patch", "delete") else None
    stray(world)
    marks = {"medea.dev/placement": "p1"}
    world.front.put(
        WORKFLOWS, {"metadata": {"name": "copy", "namespace": "ns", "annotations": marks, "finalizers": [FINALIZER]}}
    )
    world.front.remove(WORKFLOWS, "ns", "copy")
    world.settle()
    assert world.front.get(WORKFLOWS, "ns", "copy") is None


@pytest.mark.parametrize("known", [False, True], ids=["a placement nobody knows", "a placement without its origin"])
def test_every_copy_that_is_deleted_is_let_go_although_no_origin_is_known(world: World, known: bool) -> None:
    if known:
        world.place()
        world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
        world.front.remove(WORKFLOWS, "ns", "job-p1")
    metadata = {"namespace": "ns", "annotations": {PLACEMENT: "p1"}, "finalizers": [FINALIZER]}
    for name in ("one", "two"):
        world.front.put(WORKFLOWS, {"metadata": {**metadata, "name": name}})
    world.settle()
    world.front.remove(WORKFLOWS, "ns", "two")
    world.settle()
    assert world.front.get(WORKFLOWS, "ns", "two") is None
    assert world.front.get(WORKFLOWS, "ns", "one") is not None


def test_what_carries_a_mark_that_postgres_can_not_hold_is_let_go_when_it_is_deleted(world: World) -> None:
    metadata = {"name": "odd", "namespace": "ns", "annotations": {PLACEMENT: "p\0"}, "finalizers": [FINALIZER]}
    world.front.put(WORKFLOWS, {"metadata": metadata})
    world.front.remove(WORKFLOWS, "ns", "odd")
    world.watch()
    world.parts.loop.turn(wait=False)
    assert world.front.get(WORKFLOWS, "ns", "odd") is None


def test_the_end_of_another_workflow_under_the_runs_name_is_not_taken_for_the_runs(world: World) -> None:
    """The watch still shows the run's end when somebody has already created another Workflow of that name."""
    world.place()
    world.settle()
    world.end_run("Failed", message="exit code 3")
    world.watch()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    world.west.remove(WORKFLOWS, "ns", "job-p1")
    status = {"phase": "Succeeded", "message": "somebody else's"}
    world.west.put(WORKFLOWS, {"metadata": {"name": "job-p1", "namespace": "ns"}, "spec": {}, "status": status})
    world.clock.advance(1)
    world.look()
    assert (world.row().phase, world.row().message) == ("Failed", "exit code 3")


def test_a_run_that_vanishes_ends_as_error_only_when_its_target_says_so(world: World) -> None:
    world.place()
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    world.west.remove(WORKFLOWS, "ns", "job-p1")

    def silent(call: Call) -> Any:
        return HANG if call.verb == "get" else None

    world.west.faults = silent
    world.settle()
    assert world.row().state is State.RUNNING
    world.west.faults = lambda _call: None
    world.registry.known["west"].probe()
    world.settle(7)
    assert (world.row().state, world.row().phase) == (State.ENDED, "Error")


def test_what_ran_on_a_target_that_was_forgotten_is_removed_should_it_come_back(world: World) -> None:
    world.place()
    world.settle()
    world.unregister("west")
    placements.lost(world.pool, "p1", "Lost: target west was forgotten", cluster="west")
    world.wait(60)
    assert world.origin()["status"]["phase"] == "Error"
    world.register("west")
    world.settle()
    assert world.run() is None
