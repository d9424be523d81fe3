"""A target that doesn't answer is known to be away, costs nobody a wait, and is back as soon as it answers."""

from collections.abc import Callable

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import HANG, REFUSE, Call, FakeApiserver, Fault, answer
from tests.support.fake_clock import FakeClock
from webhook.errors import ClusterUnavailable, MedeaError
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS


class Target:
    """A target behind a real client."""

    def __init__(self, *, breaker: bool = True) -> None:
        self.clock = FakeClock()
        self.fake = FakeApiserver("west", clock=self.clock)
        self.fake.namespace("ns")
        self.cluster = Cluster("west", Configuration(), http=self.fake, breaker=breaker, clock=self.clock)

    def fails(self, fault: Fault | None) -> None:
        self.fake.faults = lambda _call: fault

    def call(self, times: int = 1) -> None:
        for _ in range(times):
            try:
                self.cluster.find(WORKFLOWS, "ns", "a")
            except MedeaError:
                continue

    def requests(self) -> int:
        count = len(self.fake.calls)
        self.fake.calls.clear()
        return count


@pytest.fixture
def west() -> Target:
    return Target()


AWAY = [REFUSE, HANG, answer(503), answer(502), answer(504), answer(429), answer(500), answer(401)]


@pytest.mark.parametrize("fault", AWAY, ids=str)
def test_two_calls_in_a_row_without_an_answer_mean_away(west: Target, fault: Fault) -> None:
    west.fails(fault)
    west.call()
    assert west.cluster.health.away is None
    west.call()
    assert str(west.cluster.health.away).startswith("has not answered for ")


@pytest.mark.parametrize(
    "fault",
    [
        answer(403, 'workflows is forbidden: User "medea" cannot get resource "workflows"', "Forbidden"),
        answer(403, "a policy says no", "Forbidden"),
        answer(404, "the server could not find the requested resource", "NotFound"),
        answer(409, "taken", "AlreadyExists"),
        answer(422, "wrong", "Invalid"),
        answer(500, "Internal error occurred: failed calling webhook", "InternalError"),
    ],
    ids=str,
)
def test_an_answer_about_one_object_or_one_namespace_says_nothing_about_the_whole_target(
    west: Target, fault: Fault
) -> None:
    west.fails(fault)
    west.call(5)
    assert west.cluster.health.away is None
    assert west.requests() == 5


def test_one_lost_answer_among_others_is_no_outage(west: Target) -> None:
    for _ in range(5):
        west.fails(REFUSE)
        west.call()
        west.fails(None)
        west.call()
    assert west.cluster.health.away is None


def test_nobody_waits_for_a_target_that_is_away(west: Target) -> None:
    west.fails(HANG)
    west.call(2)
    west.requests()
    before = west.clock()
    calls: list[Callable[[], object]] = [
        lambda: west.cluster.create(WORKFLOWS, "ns", {"metadata": {"name": "a"}}),
        lambda: west.cluster.list(WORKFLOWS),
        lambda: west.cluster.open_log("ns", "pod", (), patience=5, follow=False),
    ]
    for call in calls:
        with pytest.raises(ClusterUnavailable, match=r"cluster west has not answered for \d+ s"):
            call()
    assert west.requests() == 0
    assert west.clock() == before


def test_the_words_say_since_when(west: Target) -> None:
    west.fails(REFUSE)
    west.call(2)
    west.clock.advance(34)
    assert west.cluster.health.away == "has not answered for 34 s"
    west.clock.advance(300)
    assert west.cluster.health.away == "has not answered for 5 min"
    west.clock.advance(7200)
    assert west.cluster.health.away == "has not answered for 2 h"


@pytest.mark.parametrize("kind", ["well", "answer"])
def test_a_probe_finds_a_target_that_is_back_and_all_calls_go_through_again(west: Target, kind: str) -> None:
    west.fails(REFUSE)
    west.call(2)
    west.cluster.probe()
    assert west.cluster.health.away
    west.fails(None if kind == "well" else answer(403, "no probing here", "Forbidden"))
    west.cluster.probe()
    assert west.cluster.health.away is None
    west.fails(None)
    assert west.cluster.find(WORKFLOWS, "ns", "a") is None


def test_probes_alone_find_a_target_that_hangs_within_two_seconds_each(west: Target) -> None:
    west.fails(HANG)
    before = west.clock()
    west.cluster.probe()
    west.cluster.probe()
    assert west.cluster.health.away
    assert west.clock() - before <= 4


def test_the_front_door_is_always_asked() -> None:
    front = Target(breaker=False)
    front.fails(REFUSE)
    front.call(5)
    assert front.requests() == 5


def test_a_log_that_is_silent_or_a_stream_that_breaks_is_no_outage(west: Target) -> None:
    watch = Informer(west.cluster, WORKFLOWS, lambda _thing, _gone: None)
    watch.step()
    west.fails(Fault("cut"))
    for _ in range(5):
        watch.step()
    assert west.cluster.health.away is None
    west.fails(HANG)
    for _ in range(5):
        assert west.cluster.open_log("ns", "pod", (), patience=1, follow=True) is None
    assert west.cluster.health.away is None


def test_calls_that_an_outage_swallowed_say_nothing_once_it_is_over(west: Target) -> None:
    def over_meanwhile(_call: Call) -> Fault:
        west.fails(None)
        west.clock.advance(1)
        west.cluster.probe()
        return HANG

    for _ in range(5):
        west.fake.faults = over_meanwhile
        west.call()
    assert west.cluster.health.away is None
