"""Which runs are known whose Events are to be shown, before and after they are gone."""

from tests.support.fake_clock import FakeClock
from webhook.model.limits.run_events import EVENTS_REST
from webhook.run_events.remembered import Known, Remembered, known

ORIGIN = {"metadata": {"name": "job", "namespace": "ns", "uid": "o1"}}


def run(uid: str) -> Known:
    return known(("west", "ns"), {"metadata": {"name": "job", "uid": uid}, "status": {"nodes": {}}}, ORIGIN)


def test_a_run_that_is_gone_is_known_for_a_while_and_then_costs_nothing() -> None:
    clock = FakeClock()
    remembered = Remembered(clock)
    remembered.note("p1", [run("r1")])
    assert remembered.note("p1", []) == [run("r1")]
    assert remembered.placement_of("west", "r1") == "p1"
    clock.advance(EVENTS_REST)
    assert remembered.note("p1", []) == []
    assert remembered.placement_of("west", "r1") is None
    assert remembered == Remembered(clock, _lock=remembered._lock)


def test_a_run_that_comes_back_as_its_target_does_is_not_forgotten() -> None:
    clock = FakeClock()
    remembered = Remembered(clock)
    remembered.note("p1", [run("r1"), run("r2")])
    remembered.note("p1", [run("r2")])
    remembered.note("p1", [run("r1"), run("r2")])
    clock.advance(EVENTS_REST)
    assert remembered.note("p1", [run("r2")]) == [run("r1"), run("r2")]
    clock.advance(EVENTS_REST)
    assert remembered.note("p1", [run("r2")]) == [run("r2")]
