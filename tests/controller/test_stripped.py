"""Somebody takes Medea's marks off a run or an origin: it is known all the same, and gets them back."""

from typing import Any

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import LOSE, answer
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.model.contract import FINALIZER, ORIGIN_NAME, ORIGIN_UID, PLACEMENT, Hold, State

Object = dict[str, Any]
MARKS = (PLACEMENT, ORIGIN_UID, ORIGIN_NAME)


def strip(world: World, *labels: str, finalizers: bool = False) -> None:
    """A target's administrator takes labels off the run, and its finalizers too if told so."""
    metadata: Object = {"labels": dict.fromkeys(labels)}
    world.west.change(
        WORKFLOWS, "ns", "job-p1", {"metadata": {**metadata, **({"finalizers": None} if finalizers else {})}}
    )


def on_west(world: World) -> Object:
    found = world.west.get(WORKFLOWS, "ns", "job-p1")
    assert found is not None
    return found


def strip_origin(world: World) -> None:
    world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"annotations": {PLACEMENT: None}}})


# --- the run


@pytest.mark.parametrize("labels", [(PLACEMENT,), (ORIGIN_UID,), MARKS], ids=["placement", "origin", "all"])
def test_a_running_run_whose_labels_are_taken_off_gets_them_back_and_ends_as_it_ends(
    world: World, labels: tuple[str, ...]
) -> None:
    world.place()
    world.settle()
    strip(world, *labels)
    world.settle()
    assert world.row().state is State.RUNNING
    marks = on_west(world)["metadata"]["labels"]
    assert (marks[PLACEMENT], marks[ORIGIN_UID], marks[ORIGIN_NAME]) == ("p1", world.row().origin_uid, "job-p1")
    assert "MarksRestored" in world.recorder.reasons
    world.end_run()
    world.settle()
    assert (world.row().phase, world.origin()["status"]["phase"]) == ("Succeeded", "Succeeded")
    assert FINALIZER not in (on_west(world)["metadata"].get("finalizers") or [])


def test_with_its_labels_a_run_gets_its_finalizer_back(world: World) -> None:
    world.place()
    world.settle()
    strip(world, *MARKS, finalizers=True)
    world.settle()
    assert on_west(world)["metadata"]["finalizers"] == [FINALIZER]


def test_another_placement_written_onto_a_run_is_not_believed(world: World) -> None:
    world.place()
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"labels": {PLACEMENT: "somebody-else"}}})
    world.settle()
    assert world.row().state is State.RUNNING
    assert on_west(world)["metadata"]["labels"][PLACEMENT] == "p1"


def test_a_run_that_ends_without_its_labels_has_ended_so_and_is_let_go(world: World) -> None:
    """Nothing that it does is seen by the watch; and the target's policy lets nobody put the labels back."""
    world.place()
    world.settle()
    world.west.faults = lambda call: answer(422, "no such labels here") if _labels(call) else None
    strip(world, *MARKS)
    world.settle()
    assert world.row().state is State.RUNNING
    assert world.origin()["metadata"]["annotations"]["medea.dev/reason"] == "west: no such labels here"
    status = {"phase": "Failed", "message": "exit code 3", "finishedAt": world.clock.stamp()}
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": status})
    world.wait(60)
    assert (world.row().state, world.row().message) == (State.ENDED, "exit code 3")
    assert world.origin()["status"]["phase"] == "Failed"
    assert "medea.dev/reason" not in world.origin()["metadata"]["annotations"]
    assert not on_west(world)["metadata"].get("finalizers")


def _labels(call: Any) -> bool:
    return call.verb == "patch" and "labels" in (call.body or {}).get("metadata", {})


def test_labels_taken_off_between_the_end_and_the_finalizer_do_not_keep_the_run_for_ever(world: World) -> None:
    world.place()
    world.settle()
    world.west.faults = lambda call: answer(503) if call.verb == "patch" else None
    world.end_run()
    world.settle()
    assert world.row().end_shown
    strip(world, *MARKS)
    world.west.faults = lambda _call: None
    world.registry.known["west"].probe()
    world.wait(60)
    assert not on_west(world)["metadata"].get("finalizers")


def test_what_was_let_go_is_not_looked_for_again(world: World) -> None:
    world.place()
    world.settle()
    world.end_run()
    world.settle()
    world.west.remove(WORKFLOWS, "ns", "job-p1")
    asked = len(world.calls("west", "get"))
    world.wait(120)
    assert len(world.calls("west", "get")) == asked


def test_a_run_without_its_labels_goes_with_its_origin(world: World) -> None:
    world.place()
    world.settle()
    world.west.faults = lambda call: answer(503) if call.verb in ("patch", "delete") else None
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle()
    assert world.row().state is State.DELETING
    strip(world, *MARKS)
    world.west.faults = lambda _call: None
    world.registry.known["west"].probe()
    world.wait(60)
    assert world.west.get(WORKFLOWS, "ns", "job-p1") is None
    assert world.row().state is State.DELETED


@pytest.mark.parametrize("label", [PLACEMENT, ORIGIN_UID])
def test_a_run_whose_create_was_not_answered_is_known_by_the_label_that_is_left(world: World, label: str) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    strip(world, label)
    world.settle(6)
    assert world.row().state is State.RUNNING
    assert world.row().run_uid == on_west(world)["metadata"]["uid"]
    assert len(world.west.all(WORKFLOWS, "ns")) == 1
    assert on_west(world)["metadata"]["labels"][label]


def test_what_may_be_the_run_but_has_no_label_left_is_asked_about_and_nothing_is_created_beside_it(
    world: World,
) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    strip(world, *MARKS)
    world.wait(60)
    assert world.row().state is State.RESERVED
    assert len(world.west.all(WORKFLOWS, "ns")) == 1
    assert "nothing says whose run it is" in world.origin()["metadata"]["annotations"]["medea.dev/reason"]
    world.west.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"labels": {PLACEMENT: "p1"}}})
    world.wait(120)
    assert world.row().state is State.RUNNING


def test_one_cluster_under_two_names_does_not_make_a_stray_of_the_run(world: World) -> None:
    world.place()
    world.settle()
    world.targets["north"] = world.west
    world.register("north")
    world.settle()
    assert world.row().state is State.RUNNING
    assert "deletionTimestamp" not in on_west(world)["metadata"]


# --- the origin


def test_an_origin_whose_placement_is_taken_off_gets_it_back_and_ends(world: World) -> None:
    world.place()
    world.settle()
    strip_origin(world)
    world.settle()
    assert world.origin()["metadata"]["annotations"][PLACEMENT] == "p1"
    assert "MarksRestored" in world.recorder.reasons
    world.end_run()
    world.settle()
    assert world.origin()["status"]["phase"] == "Succeeded"


def test_it_gets_it_back_although_nobody_looked_when_it_was_taken_off(world: World) -> None:
    world.place()
    world.settle()
    strip_origin(world)
    world.lose_news()
    world.wait(60)
    assert world.origin()["metadata"]["annotations"][PLACEMENT] == "p1"


@pytest.mark.parametrize("mark", ["another placement", "a label of runs"])
def test_what_else_hides_an_origin_is_put_right_too(world: World, mark: str) -> None:
    world.place()
    world.settle()
    wrong = {"annotations": {PLACEMENT: "p9"}} if mark == "another placement" else {"labels": {ORIGIN_UID: "x"}}
    world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": wrong})
    world.settle()
    assert world.origin()["metadata"]["annotations"][PLACEMENT] == "p1"
    assert ORIGIN_UID not in (world.origin()["metadata"].get("labels") or {})
    world.end_run()
    world.settle()
    assert world.origin()["status"]["phase"] == "Succeeded"


def test_a_retry_of_which_nobody_heard_does_not_leave_the_origin_running_for_ever(world: World) -> None:
    world.place()
    world.settle()
    world.end_run("Failed")
    world.settle()
    strip_origin(world)
    world.front.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "finishedAt": None}})
    world.settle(6)
    assert world.origin()["metadata"]["annotations"][PLACEMENT] == "p1"
    assert world.origin()["status"]["phase"] == "Failed"


@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("target", [None, "west"], ids=["waiting", "running"])
def test_a_stop_of_which_the_webhook_did_not_hear_is_done_with_the_mark(
    world: World, hold: Hold, target: str | None
) -> None:
    world.place(hold=hold, on=target)
    world.settle()
    strip_origin(world)
    world.front.change(WORKFLOWS, "ns", "job-p1", {"spec": {"shutdown": "Stop"}})
    world.settle(6)
    if target:
        assert on_west(world)["spec"]["shutdown"] == "Stop"
        world.end_run("Failed")
        world.settle()
    assert world.row().state is State.ENDED
    assert world.origin()["status"]["phase"] == "Failed"


@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("suspended", [False, True])
def test_what_was_suspended_or_resumed_meanwhile_is_done_to_the_run_with_the_mark(
    world: World, hold: Hold, suspended: bool
) -> None:
    world.place(hold=hold)
    world.settle()
    world.west.change(WORKFLOWS, "ns", "job-p1", {"spec": {"suspend": suspended or None}})
    world.settle()
    strip_origin(world)
    world.front.change(WORKFLOWS, "ns", "job-p1", {"spec": {"suspend": None if suspended else True}})
    world.settle(6)
    assert bool(on_west(world)["spec"].get("suspend")) is not suspended
    assert bool(world.origin()["spec"].get("suspend")) is not suspended


def test_an_origin_without_its_placement_can_be_deleted(world: World) -> None:
    world.place()
    world.settle()
    world.front.faults = lambda call: answer(503) if call.verb == "patch" else None
    strip_origin(world)
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.settle()
    assert world.row().state in (State.DELETING, State.DELETED)
    world.front.faults = lambda _call: None
    world.wait(60)
    assert world.run() is None
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None


def test_another_workflow_of_its_name_is_not_taken_for_the_origin(world: World) -> None:
    world.place()
    world.settle()
    world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.front.put(WORKFLOWS, {"metadata": {"name": "job-p1", "namespace": "ns"}, "spec": {}})
    world.settle(8)
    assert PLACEMENT not in (world.origin()["metadata"].get("annotations") or {})
    assert world.row().state is State.DELETED


# --- the ledger


def test_a_workflow_whose_original_is_lost_ends_and_says_so(world: World) -> None:
    world.place()
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET original = '{}'")
    world.settle()
    assert (world.row().state, world.row().phase) == (State.ENDED, "Error")
    assert "only the ledger knew what was to run" in str(world.row().message)
    assert world.origin()["status"]["phase"] == "Error"
    assert world.run() is None


def test_a_run_that_was_created_before_its_original_was_lost_goes_on(world: World) -> None:
    world.fail("west", LOSE, verb="create")
    world.place()
    world.watch()
    world.look()
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET original = '{}'")
    world.settle(6)
    assert world.row().state is State.RUNNING
    assert placements.original(world.pool, "p1") is None
