"""What people do to an origin is done to its run; what can't be done is said, and holds nothing up."""

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import ApiError, Call
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import sharing
from webhook.model.contract import VERBS, Hold, State
from webhook.model.verbs import Retry, Verb

STOP, SUSPEND = Verb("ann", shutdown="Stop"), Verb("ann", suspend=True)
DENIED = ApiError(403, "Forbidden", 'admission webhook "policy" denied the request: not today', {"name": "job-p1"})


@pytest.fixture
def running(world: World) -> World:
    world.place()
    world.settle()
    world.recorder.events.clear()
    return world


def ended(world: World, phase: str = "Failed") -> str:
    """The run has ended, which is known; returns when."""
    world.end_run(phase, message="exit code 3")
    world.settle()
    run = world.run()
    assert run is not None and world.row().state is State.ENDED
    world.recorder.events.clear()
    return str(run["status"]["finishedAt"])


def deny(call: Call, _: object) -> ApiError | None:
    body = call.body if isinstance(call.body, dict) else {}
    return DENIED if call.verb == "patch" and ("spec" in body or "status" in body) else None


def asked(world: World) -> bool:
    return VERBS in world.origin()["metadata"]["annotations"]


def test_a_verb_is_done_to_the_run_and_the_note_comes_off(running: World) -> None:
    running.ask(STOP)
    running.settle()
    run = running.run()
    assert run is not None and run["spec"]["shutdown"] == "Stop"
    assert not asked(running)
    assert running.recorder.reasons == ["Steered"]


@pytest.mark.parametrize("hold", Hold)
def test_what_a_person_set_stays_on_the_origin_until_the_watch_shows_it_on_the_run(world: World, hold: Hold) -> None:
    world.place(hold=hold)
    world.settle()
    world.front.change(WORKFLOWS, "ns", "job-p1", {"spec": {"suspend": True}})
    world.ask(SUSPEND)
    for _ in range(4):
        # The target's watch is late.
        world.parts.watches.origins.informer.step()
        world.look()
        world.clock.advance(1.0)
        assert world.origin()["spec"].get("suspend") is True
    run = world.run()
    assert run is not None and run["spec"]["suspend"] is True
    world.settle()
    assert not asked(world)
    assert world.origin()["spec"]["suspend"] is True
    assert world.recorder.reasons.count("Steered") == 1


def test_a_verb_that_the_target_refuses_for_good_is_told_and_given_up(running: World) -> None:
    running.west.refuse_later = deny
    running.ask(SUSPEND)
    running.settle()
    assert not asked(running)
    [(reason, message)] = running.recorder.events
    assert reason == "RefusedByTarget"
    assert message.startswith("suspend: west: ") and "not today" in message


def test_the_verbs_beside_one_that_is_refused_are_done(running: World) -> None:
    def deny_suspension(call: Call, _: object) -> ApiError | None:
        return DENIED if call.verb == "patch" and "suspend" in call.body.get("spec", {}) else None

    running.west.refuse_later = deny_suspension
    running.ask(SUSPEND, STOP)
    running.settle()
    run = running.run()
    assert run is not None and run["spec"].get("shutdown") == "Stop"
    assert running.recorder.reasons == ["Steered", "RefusedByTarget"]


def test_a_run_is_shown_while_its_verb_is_refused(running: World) -> None:
    running.west.refuse_later = deny
    running.ask(SUSPEND)
    running.settle()
    running.end_run("Succeeded")
    running.settle()
    assert running.origin()["status"]["phase"] == "Succeeded"


def test_a_retry_goes_on_with_the_run(running: World) -> None:
    running.ask(Verb("ann", retry=Retry(ended(running))))
    running.settle()
    run = running.run()
    assert run is not None and "phase" not in run["status"]
    assert running.row().state is State.RUNNING
    assert not asked(running)


def test_a_retry_that_the_target_refuses_leaves_the_end_as_it_was_and_holds_no_room(running: World) -> None:
    finished = ended(running)
    running.west.refuse_later = deny
    running.ask(Verb("ann", retry=Retry(finished)))
    running.settle(6)
    row = running.row()
    assert (row.state, row.phase, row.message) == (State.ENDED, "Failed", "exit code 3")
    assert row.released_at is not None and row.end_shown
    assert not asked(running)
    assert "RefusedByTarget" in running.recorder.reasons


def test_a_retry_of_a_run_that_is_gone_keeps_the_end_that_is_known(running: World) -> None:
    finished = ended(running)
    running.west.remove(WORKFLOWS, "ns", "job-p1")
    running.ask(Verb("ann", retry=Retry(finished)))
    running.settle(6)
    row = running.row()
    assert (row.state, row.phase, row.message) == (State.ENDED, "Failed", "exit code 3")
    assert ("TooLate", "retry: the run is gone from west") in running.recorder.events
    assert not asked(running)


def test_a_retry_whose_lock_was_taken_on_another_target_meanwhile_keeps_the_end_and_says_so(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = ended(running)
    monkeypatch.setattr(sharing, "locked_elsewhere", lambda *_: "mutex build is in use on east by other")
    running.ask(Verb("ann", retry=Retry(finished)))
    running.settle(6)
    assert running.row().state is State.ENDED
    assert ("TooLate", "retry: mutex build is in use on east by other") in running.recorder.events
    assert not asked(running)


def test_an_origin_that_a_person_began_anew_in_vain_shows_its_end_again(running: World) -> None:
    finished = ended(running)
    running.west.remove(WORKFLOWS, "ns", "job-p1")
    begun = {"labels": {"workflows.argoproj.io/completed": None}}
    status = {"phase": "Running", "finishedAt": None, "message": None}
    running.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": begun, "status": status})
    running.ask(Verb("ann", retry=Retry(finished)))
    running.settle(6)
    shown = running.origin()
    assert (shown["status"]["phase"], shown["status"]["message"]) == ("Failed", "exit code 3")
    assert shown["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true"


def test_a_verb_after_the_end_is_too_late(running: World) -> None:
    ended(running)
    running.ask(SUSPEND)
    running.settle()
    assert running.recorder.reasons == ["TooLate"]
    assert not asked(running)


def test_what_waits_in_the_queue_is_ended_by_a_shutdown(world: World) -> None:
    world.place(on=None)
    world.settle()
    world.ask(STOP)
    world.settle()
    assert (world.row().state, world.row().phase) == (State.ENDED, "Failed")
    assert world.origin()["status"]["message"] == "Stopped with strategy 'Stop'"
