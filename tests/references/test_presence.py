"""What targets have, asked by name and remembered; who decides never waits, and a review not for long."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import Call, FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import CONFIG_MAPS, PRIORITY_CLASSES, SECRETS
from webhook.model.deadline import Deadline
from webhook.model.limits import references as limits
from webhook.references.model import Kind, Reference, Shortfall
from webhook.references.presence import Presence

C = Reference(Kind.CONFIG_MAP, "c")
COUNT = Reference(Kind.CONFIG_MAP, "c", ("count",))
SECRET = Reference(Kind.SECRET, "s")
PARAMETERS = {"workflows.argoproj.io/configmap-type": "Parameter"}


class World:
    """Two targets, and what one process knows of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fakes = {name: FakeApiserver(name, clock=self.clock) for name in ("east", "west")}
        self.known = {
            name: Cluster(name, Configuration(), http=fake, clock=self.clock) for name, fake in self.fakes.items()
        }
        for fake in self.fakes.values():
            fake.namespace("ns")
        self.presence = Presence(cast("Registry", self), clock=self.clock)

    def clusters(self) -> dict[str, Cluster]:
        return self.known

    def put(self, target: str, labels: dict[str, str] | None = None, **data: str) -> None:
        metadata = {"name": "c", "namespace": "ns", "labels": labels or {}}
        self.fakes[target].put(CONFIG_MAPS, {"metadata": metadata, "data": data})

    def look(self, *references: Reference, targets: list[str] | None = None) -> None:
        self.presence.look("ns", references, targets, Deadline.after(60))

    def shortfall(self, target: str, *references: Reference) -> Shortfall:
        return self.presence.shortfalls("ns", references, [target]).get(target, Shortfall())

    def gets(self) -> int:
        return sum(call.verb == "get" for fake in self.fakes.values() for call in fake.calls)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.presence.stop()


def test_a_target_that_lacks_something_is_told_by_name_and_another_is_not(world: World) -> None:
    world.put("west")
    world.look(C)
    assert world.shortfall("east", C) == Shortfall(lacks="lacks ConfigMap c")
    assert world.shortfall("west", C) == Shortfall()


def test_nothing_is_known_before_it_was_asked(world: World) -> None:
    assert world.shortfall("west", C).pending == "is being asked whether it has ConfigMap c"
    assert world.gets() == 0


def test_what_is_there_is_not_asked_for_again_and_what_is_not_there_soon_is(world: World) -> None:
    world.put("west")
    world.look(C)
    world.look(C)
    assert world.gets() == 2
    world.clock.advance(limits.ABSENT_TRUSTED + 0.1)
    world.put("east")
    world.look(C)
    assert world.gets() == 3 and world.shortfall("east", C) == Shortfall()


def test_only_the_targets_that_count_are_asked(world: World) -> None:
    world.look(C, targets=["west"])
    assert not world.fakes["east"].calls


def test_a_right_that_is_missing_makes_it_unknown_and_says_so_once(world: World) -> None:
    def forbids(call: Call) -> Fault | None:
        words = 'secrets "s" is forbidden: User "medea" cannot get resource "secrets"'
        return Fault("status", 403, "Forbidden", words) if call.resource == "secrets" else None

    world.fakes["west"].faults = forbids
    other = Reference(Kind.SECRET, "t")
    world.look(SECRET, other)
    found = world.shortfall("west", SECRET, other)
    assert found.lacks is None
    assert found.unsure == "not known whether it has Secret s, Secret t: Medea may not look at its Secrets"


def test_no_content_of_a_secret_is_asked_for_or_kept(world: World) -> None:
    accepted: list[str] = []

    class Door:
        def request(self, method: str, url: str, **options: Any) -> Any:
            accepted.append(options["headers"]["Accept"])
            return world.fakes["west"].request(method, url, **options)

    world.fakes["west"].put(SECRETS, {"metadata": {"name": "s", "namespace": "ns"}, "data": {"k": "aGlkZGVu"}})
    world.known = {"west": Cluster("west", Configuration(), http=Door(), clock=world.clock)}
    world.look(SECRET)
    assert accepted == ["application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"]
    seen = world.presence.seen("ns", SECRET, "west")
    assert seen is not None and seen.there and not seen.values


def test_parameters_need_the_label_and_every_key(world: World) -> None:
    world.put("west", count="3")
    world.put("east", PARAMETERS, word="x")
    world.look(COUNT)
    assert world.shortfall("west", COUNT).lacks == (
        "its ConfigMap c lacks the label workflows.argoproj.io/configmap-type=Parameter"
    )
    assert world.shortfall("east", COUNT).lacks == "its ConfigMap c lacks count"


def test_only_the_keys_that_are_asked_for_are_kept_and_no_endless_value(world: World) -> None:
    long = "x" * (limits.LONGEST_VALUE + 1)
    world.put("west", PARAMETERS, count="3", other="x", long=long)
    asked = Reference(Kind.CONFIG_MAP, "c", ("count", "long"))
    world.look(asked)
    seen = world.presence.seen("ns", asked, "west")
    assert seen is not None and seen.there and seen.values == {"count": "3"}


def test_a_priority_class_is_looked_for_outside_namespaces(world: World) -> None:
    urgent = Reference(Kind.PRIORITY_CLASS, "urgent")
    world.fakes["west"].put(PRIORITY_CLASSES, {"metadata": {"name": "urgent"}})
    world.look(urgent)
    assert world.shortfall("west", urgent) == Shortfall()
    assert world.shortfall("east", urgent).lacks == "lacks PriorityClass urgent"


def test_a_target_that_hangs_is_not_waited_for_and_its_answer_counts_when_it_comes(world: World) -> None:
    goes_on, answered = threading.Event(), threading.Event()

    def hangs(_: Call) -> Fault | None:
        goes_on.wait(60)
        return None

    world.fakes["west"].faults = hangs
    world.fakes["west"].after = lambda _call: answered.set()
    world.put("east")
    world.presence.look("ns", (C,), None, Deadline.after(0.2))
    assert world.shortfall("east", C) == Shortfall()
    assert world.shortfall("west", C).unsure == "not known whether it has ConfigMap c: it did not answer in time"
    changed = threading.Event()
    world.presence.on_change(changed.set)
    goes_on.set()
    assert changed.wait(60)
    assert world.shortfall("west", C).lacks == "lacks ConfigMap c"


def test_what_a_target_that_hangs_was_not_asked_in_time_delays_no_later_question(world: World) -> None:
    goes_on = threading.Event()

    def hangs(_: Call) -> Fault | None:
        goes_on.wait(60)
        return None

    world.fakes["west"].faults = hangs
    many = tuple(Reference(Kind.CONFIG_MAP, f"c{number}") for number in range(20))
    world.presence.look("ns", many, ["west"], Deadline.after(0.2))
    goes_on.set()
    world.look(C, targets=["west"])
    assert world.shortfall("west", C).lacks == "lacks ConfigMap c"
    assert world.gets() <= limits.LOOKS_AT_ONCE + 1
    world.clock.advance(limits.UNKNOWN_TRUSTED + 1)
    world.look(*many, targets=["west"])
    assert world.shortfall("west", many[-1]).lacks == "lacks ConfigMap c19"


def test_what_was_wanted_lately_is_asked_for_again_and_listeners_hear_of_news(world: World) -> None:
    heard: list[int] = []
    world.presence.on_change(lambda: heard.append(world.presence.changes))
    world.shortfall("west", C)
    world.presence.turn("west", world.known["west"])
    assert world.shortfall("west", C).lacks and len(heard) == 1
    world.put("west")
    world.clock.advance(limits.ABSENT_AGAIN + 0.1)
    world.presence.turn("west", world.known["west"])
    assert world.shortfall("west", C) == Shortfall() and len(heard) == 2
    world.clock.advance(limits.WANTED_FOR + 1)
    asked = world.gets()
    world.presence.turn("west", world.known["west"])
    assert world.gets() == asked


def test_a_hiccup_in_the_background_takes_nothing_back(world: World) -> None:
    world.look(C)
    world.fakes["west"].faults = lambda _call: Fault("status", 500, "InternalError", "no")
    world.clock.advance(limits.ABSENT_AGAIN + 0.1)
    world.presence.turn("west", world.known["west"])
    assert world.shortfall("west", C).lacks == "lacks ConfigMap c"


def test_a_target_that_is_gone_is_forgotten(world: World) -> None:
    world.look(C)
    world.presence._forget("west")
    assert world.shortfall("west", C).pending and world.shortfall("east", C).lacks


def test_only_argos_own_namespace_may_have_an_artifact_repository_that_is_not_here(world: World) -> None:
    repository = Reference(Kind.CONFIG_MAP, "r", elsewhere_too=True)
    world.look(repository)
    found = world.shortfall("west", repository)
    assert found.lacks is None and "Argo's own namespace" in str(found.unsure)
