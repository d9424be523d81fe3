"""The second eye sees a target's quotas as they change, says how old that is, and why it can't see one."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import REFUSE, Call, FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from tests.support.quotas import limit_range, pod, quota
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import LIMIT_RANGES, PODS, RESOURCE_QUOTAS
from webhook.model.limits.scout import LIVE_AFTER_CHANGE, LIVE_AGE, LIVE_REMADE
from webhook.scout.quota_watch import QuotaWatch
from webhook.totals.model import Defaults


class World:
    """Two targets, and the eye that watches them; nothing happens but in `look`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.listeners: list[Callable[[str, Cluster | None], None]] = []
        self.fakes = {name: FakeApiserver(name, clock=self.clock) for name in ("west", "east")}
        self.west = self.fakes["west"]
        self.informers: list[Informer] = []
        registry: Any = self
        self.eye = QuotaWatch(
            registry,
            max_age=None,
            clock=self.clock.time,
            monotonic=self.clock.monotonic,
            begin=self.informers.append,
        )
        for fake in self.fakes.values():
            fake.namespace("ns")
        self.join("west")

    def on_change(self, listener: Callable[[str, Cluster | None], None]) -> None:
        self.listeners.append(listener)

    def wait(self, _: float) -> bool:
        return True

    def join(self, name: str) -> None:
        for listener in self.listeners:
            listener(name, Cluster(name, Configuration(), http=self.fakes[name], clock=self.clock))

    def leave(self, name: str) -> None:
        for listener in self.listeners:
            listener(name, None)

    def look(self) -> None:
        """All watches are told what is new."""
        for informer in self.informers:
            informer.step()
            informer.step()

    def refuse(self, plural: str) -> None:
        """West lets nobody list objects of this kind."""
        words = f"{plural} is forbidden"

        def faults(call: Call) -> Fault | None:
            return Fault("status", 403, "Forbidden", words) if call.resource == plural else None

        self.west.faults = faults


@pytest.fixture
def world() -> World:
    made = World()
    made.west.put(RESOURCE_QUOTAS, quota("10", "2", name="q"))
    return made


def free(world: World, name: str = "west") -> int | None:
    snapshot = world.eye.of_namespace("ns").get(name)
    return None if snapshot is None else snapshot.hard.cpu_milli - snapshot.used.cpu_milli


def test_a_target_is_seen_as_it_is_now(world: World) -> None:
    world.west.put(PODS, pod("a", of="job"))
    world.west.put(PODS, pod("ended", of="job", phase="Succeeded"))
    world.west.put(LIMIT_RANGES, limit_range(cpu="1"))
    world.look()
    west = world.eye.of_namespace("ns")["west"]
    assert (west.hard.cpu_milli, west.used.cpu_milli, west.own["job"].cpu_milli) == (10_000, 2000, 1000)
    assert west.defaults == Defaults(1000, None)
    assert west.sampled_at == world.clock.time()
    assert world.eye.of_namespace("elsewhere") == {}


def test_changes_are_seen_soon_and_what_has_not_changed_is_the_same_object_for_a_while(world: World) -> None:
    world.look()
    before = world.eye.of_namespace("ns")
    world.clock.advance(LIVE_AFTER_CHANGE)
    assert world.eye.of_namespace("ns") is before
    world.west.change(RESOURCE_QUOTAS, "ns", "q", {"status": {"used": {"limits.cpu": "9"}}})
    world.look()
    assert free(world) == 1000
    world.clock.advance(LIVE_REMADE)
    assert world.eye.of_namespace("ns")["west"].sampled_at == world.clock.time()


def test_a_pod_that_ends_or_goes_is_charged_no_more(world: World) -> None:
    world.west.put(PODS, pod("a", "4", of="job"))
    world.west.put(PODS, pod("b", "4", of="job"))
    world.look()
    assert free(world) == 2000
    world.west.change(PODS, "ns", "a", {"status": {"phase": "Succeeded"}})
    world.west.remove(PODS, "ns", "b")
    world.look()
    world.clock.advance(LIVE_REMADE)
    assert free(world) == 8000
    assert world.eye.of_namespace("ns")["west"].own == {}


def test_before_everything_has_been_listed_nothing_is_said(world: World) -> None:
    quotas, _pods, _ranges = world.informers
    quotas.step()
    assert world.eye.of_namespace("ns") == {}
    assert not world.eye.sees("west")
    assert not world.eye.wait_for("ns", 0)
    world.look()
    world.clock.advance(LIVE_REMADE)
    assert world.eye.sees("west")
    assert world.eye.wait_for("ns", 0)
    assert free(world) == 8000


def test_what_a_broken_watch_has_seen_grows_old(world: World) -> None:
    world.look()
    world.west.faults = lambda _call: REFUSE
    world.look()
    world.clock.advance(20)
    seen = world.eye.of_namespace("ns")["west"]
    now = world.clock.time()
    assert (seen.age(now), seen.is_stale(now, 300)) == (20, False)
    assert world.eye.sees("west")
    world.clock.advance(LIVE_AGE)
    assert world.eye.of_namespace("ns")["west"].is_stale(world.clock.time(), 300)
    assert not world.eye.sees("west")
    world.west.faults = lambda _call: None
    world.look()
    world.clock.advance(LIVE_REMADE)
    assert world.eye.of_namespace("ns")["west"].age(world.clock.time()) == 0


@pytest.mark.parametrize("plural", ["resourcequotas", "pods", "limitranges"])
def test_a_target_that_does_not_let_its_quotas_be_watched_says_so_and_keeps_nobody_waiting(
    world: World, plural: str
) -> None:
    world.refuse(plural)
    world.look()
    assert world.eye.of_namespace("ns") == {}
    assert "can't be watched" in str(world.eye.blind("west"))
    assert f"{plural} is forbidden" in str(world.eye.blind("west"))
    assert world.eye.wait_for("ns", 0)
    assert world.eye.blind("unknown") is None


def test_a_quota_that_makes_no_sense_is_passed_over_and_leaves_the_others_alone(world: World) -> None:
    world.join("east")
    world.fakes["east"].put(RESOURCE_QUOTAS, quota("4", "0", name="q"))
    world.west.put(RESOURCE_QUOTAS, quota("lots", "0", name="poison"))
    world.look()
    assert (free(world), free(world, "east")) == (8000, 4000)


def test_targets_come_and_go(world: World) -> None:
    world.look()
    assert world.eye.of_namespace("ns").keys() == {"west"}
    world.fakes["east"].put(RESOURCE_QUOTAS, quota("4", "0", name="q"))
    world.join("east")
    world.look()
    assert world.eye.of_namespace("ns").keys() == {"west", "east"}
    world.leave("west")
    assert world.eye.of_namespace("ns").keys() == {"east"}


def test_whoever_listens_is_told_of_changes_where_somebody_has_asked() -> None:
    world, told = World(), list[int]()
    world.eye.on_read(lambda: told.append(1))
    world.eye.of_namespace("ns")
    world.west.put(RESOURCE_QUOTAS, quota("10", "2", name="q"))
    world.look()
    world.eye.stop()
    world.eye._tell()
    assert told == [1]
