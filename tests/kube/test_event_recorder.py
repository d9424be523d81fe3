"""Events tell people why, and cost nobody else anything."""

import threading
from typing import Any

import pytest
from kubernetes.client import Configuration
from structlog.testing import capture_logs

from tests.support.fake_apiserver import REFUSE, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import EVENTS
from webhook.model.limits.kube import EVENT_WARNING_EVERY, WAITING_EVENTS


class House:
    """A front door and what records Events there."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.front.namespace("ns")
        self.recorder = EventRecorder(Cluster("front", Configuration(), http=self.front), clock=self.clock)

    def told(self) -> list[tuple[str, str, int]]:
        while self.recorder.step():
            pass
        events = self.front.all(EVENTS)
        return sorted((one["involvedObject"]["name"], one["reason"], one["count"]) for one in events)


@pytest.fixture
def house() -> House:
    return House()


def origin(name: str = "job") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}"}}


def test_an_event_is_recorded_at_its_origin(house: House) -> None:
    house.recorder.record(origin(), "Placed", "on west")
    house.recorder.record(origin(), "Dispatched", "run job exists on west", warning=True)
    assert house.told() == [("job", "Dispatched", 1), ("job", "Placed", 1)]


def test_the_same_event_again_while_it_waits_is_counted(house: House) -> None:
    for _ in range(5000):
        house.recorder.record(origin(), "TooLate", "the run has ended")
    house.recorder.record(origin("other"), "TooLate", "the run has ended")
    assert house.told() == [("job", "TooLate", 5000), ("other", "TooLate", 1)]


def test_what_is_more_than_anybody_reads_is_dropped_with_one_warning_a_minute(house: House) -> None:
    with capture_logs() as lines:
        for number in range(WAITING_EVENTS + 500):
            house.recorder.record(origin(), "Placed", f"{number}")
        house.clock.advance(EVENT_WARNING_EVERY)
        house.recorder.record(origin(), "Placed", "again")
    assert [line["count"] for line in lines if line["event"] == "events dropped"] == [1, 500]
    assert len(house.told()) == WAITING_EVENTS


def test_a_front_door_that_is_away_costs_one_line_and_no_thread(house: House) -> None:
    house.front.faults = lambda _call: REFUSE
    with capture_logs() as lines:
        for number in range(100):
            house.recorder.record(origin(), "Placed", f"{number}")
        assert house.told() == []
    assert len([line for line in lines if line["log_level"] == "warning"]) == 1
    house.front.faults = lambda _call: None
    house.recorder.record(origin(), "Placed", "on west")
    assert house.told() == [("job", "Placed", 1)]


@pytest.mark.parametrize("poison", [{}, {"metadata": None}, {"metadata": {"name": 5}}, None], ids=repr)
def test_an_origin_that_is_no_object_raises_nothing(house: House, poison: Any) -> None:
    house.recorder.record(poison, "Placed", "on west")
    assert house.told() == []


@pytest.mark.parametrize("name", ["a" * 199 + "-b", "a" * 199 + ".b", "a" * 253])
def test_a_long_name_makes_an_event_with_a_name_that_is_accepted(house: House, name: str) -> None:
    house.recorder.record(origin(name), "Placed", "on west")
    assert house.told() == [(name, "Placed", 1)]


def test_threads_record_what_waits(house: House) -> None:
    recorded = threading.Event()

    def note(call: Any) -> None:
        if call.resource == "events":
            recorded.set()

    house.front.faults = note
    house.recorder.start()
    house.recorder.record(origin(), "Placed", "on west")
    assert recorded.wait(60)
