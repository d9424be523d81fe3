"""A list that stays true, whatever happens to its connection, and whatever somebody writes into an object."""

import threading
from typing import Any

import pytest
from kubernetes.client import Configuration
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.support.fake_apiserver import REFUSE, FakeApiserver, answer, cut
from tests.support.fake_clock import FakeClock
from tests.support.scripted_apiserver import Script, apiserver, reply, stream
from tests.support.scripted_apiserver import cut as broken
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS
from webhook.model.limits.kube import PAGE, WATCH_FIRST_PAUSE, WATCH_LONGEST_PAUSE


class Seen:
    """What a listener was told, in order; `bad` names raise."""

    def __init__(self, *bad: str) -> None:
        self.told: list[tuple[str, bool]] = []
        self.bad = bad

    def note(self, thing: dict[str, Any], gone: bool) -> None:
        name = thing["metadata"]["name"]
        self.told.append((name, gone))
        if name in self.bad:
            raise TypeError("unhashable type: 'list'")

    def take(self) -> list[tuple[str, bool]]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def west() -> FakeApiserver:
    fake = FakeApiserver("west", clock=FakeClock())
    fake.namespace("ns")
    return fake


def informer(fake: FakeApiserver, seen: Seen, **options: Any) -> Informer:
    cluster = Cluster("west", Configuration(), http=fake)
    return Informer(cluster, WORKFLOWS, seen.note, clock=fake.clock, **options)


def put(fake: FakeApiserver, *names: str) -> None:
    for name in names:
        fake.put(WORKFLOWS, {"metadata": {"namespace": "ns", "name": name}})


def touch(fake: FakeApiserver, name: str) -> None:
    fake.change(WORKFLOWS, "ns", name, {"spec": {"shutdown": "Stop"}})


def verbs(fake: FakeApiserver) -> list[str]:
    verbs, fake.calls = [call.verb for call in fake.calls], []
    return verbs


def test_what_a_field_selector_leaves_out_is_neither_listed_nor_watched(west: FakeApiserver) -> None:
    seen = Seen()
    watched = informer(west, seen, fields="metadata.name!=one")
    put(west, "one", "two")
    watched.step()
    touch(west, "one")
    watched.step()
    assert seen.take() == [("two", False)]
    assert {call.query["fieldSelector"] for call in west.calls} == {"metadata.name!=one"}


def test_of_a_single_object_only_that_one_is_heard(west: FakeApiserver) -> None:
    seen = Seen()
    watched = informer(west, seen, namespace="ns", name="one")
    put(west, "one", "two")
    watched.step()
    touch(west, "two")
    touch(west, "one")
    watched.step()
    assert seen.take() == [("one", False)] * 2
    assert {call.query["fieldSelector"] for call in west.calls} == {"metadata.name=one"}
    other = informer(west, Seen(), namespace="ns")
    other.step()
    watched.stop()
    assert REGISTRY.get_sample_value("medea_watch_up", {"cluster": "west", "kind": "workflows"}) == 1


def test_what_is_listed_and_then_changes_is_told_once_each(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, "a")
    watch = informer(west, seen)
    watch.step()
    assert seen.take() == [("a", False)]
    touch(west, "a")
    put(west, "b")
    west.remove(WORKFLOWS, "ns", "a")
    watch.step()
    assert seen.take() == [("a", False), ("b", False), ("a", True)]
    assert watch.get("ns", "a") is None
    assert [one["metadata"]["name"] for one in watch.all()] == ["b"]
    watch.step()
    assert seen.take() == []


def test_a_watch_that_broke_goes_on_from_where_it_was_without_a_new_list(west: FakeApiserver) -> None:
    seen = Seen()
    watch = informer(west, seen)
    watch.step()
    put(west, "a", "b")
    west.faults = lambda call: cut(1) if call.verb == "watch" else None
    watch.step()
    assert not watch.current
    west.faults = lambda _call: None
    watch.step()
    assert watch.current
    assert seen.take() == [("a", False), ("b", False)]
    assert verbs(west) == ["list", "watch", "watch"]


def test_an_outage_ends_without_a_new_list(west: FakeApiserver) -> None:
    seen = Seen()
    watch = informer(west, seen)
    watch.step()
    west.faults = lambda _call: REFUSE
    with capture_logs() as lines:
        for _ in range(20):
            watch.step()
    assert [line["log_level"] for line in lines if line["event"] == "watch lost"].count("warning") == 1
    assert not watch.current
    west.faults = lambda _call: None
    put(west, "a")
    watch.step()
    assert seen.take() == [("a", False)]
    assert verbs(west).count("list") == 1


def test_a_version_that_is_too_old_leads_to_a_new_list_that_tells_only_what_is_new(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, "same", "changed", "gone", "replaced")
    watch = informer(west, seen)
    watch.step()
    seen.take()
    touch(west, "changed")
    west.remove(WORKFLOWS, "ns", "gone")
    west.remove(WORKFLOWS, "ns", "replaced")
    put(west, "replaced", "new")
    west.compact()
    watch.step()
    watch.step()
    assert sorted(seen.take()) == [
        ("changed", False),
        ("gone", True),
        ("new", False),
        ("replaced", False),
        ("replaced", True),
    ]


def test_where_lists_work_and_watches_do_not_the_pause_grows_and_lists_stay_rare(west: FakeApiserver) -> None:
    watch = informer(west, Seen())
    west.faults = lambda call: answer(403, "no watching here", "Forbidden") if call.verb == "watch" else None
    waited = [watch.step() for _ in range(60)]
    assert all(pause >= WATCH_LONGEST_PAUSE / 2 for pause in waited[20:] if pause)
    assert verbs(west).count("list") <= 20
    assert sum(waited) >= 60


def test_streams_that_end_at_once_and_empty_are_not_begun_without_a_pause() -> None:
    listing = reply(200, {"items": [], "metadata": {"resourceVersion": "10"}})
    with apiserver(Script(listing, stream())) as west:
        watch = Informer(west, WORKFLOWS, Seen().note)
        watch.step()
        waited = [watch.step() for _ in range(8)]
    assert waited[0] >= WATCH_FIRST_PAUSE / 2
    assert waited[-1] >= WATCH_LONGEST_PAUSE / 2


def test_a_stream_that_never_says_anything_readable_leads_to_a_new_list() -> None:
    listing = reply(200, {"items": [], "metadata": {"resourceVersion": "10"}})
    garbage = reply(200, b"<html>\n")
    script = Script(listing, garbage, garbage, listing)
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, Seen().note)
        for _ in range(4):
            watch.step()
    assert ["watch=true" in path for path in script.requests] == [False, True, True, False]


def test_after_an_error_in_the_stream_it_goes_on_from_where_it_was() -> None:
    listing = reply(200, {"items": [], "metadata": {"resourceVersion": "10"}})
    error = {"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd has no leader"}}
    mark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "12"}}}
    script = Script(listing, stream(mark, error), broken)
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, Seen().note)
        for _ in range(3):
            watch.step()
    assert "resourceVersion=12" in script.requests[2]


def test_nobody_is_told_to_be_synced_before_the_listener_knows_everything(west: FakeApiserver) -> None:
    put(west, "a", "b")
    synced: list[bool] = []
    watch = Informer(
        Cluster("west", Configuration(), http=west), WORKFLOWS, lambda _thing, _gone: synced.append(watch.wait(0))
    )
    watch.step()
    assert synced == [False, False]
    assert watch.wait(0)


def test_a_list_of_many_is_read_in_pages(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, *(f"w-{number}" for number in range(PAGE + 1)))
    watch = informer(west, seen)
    watch.step()
    assert len(seen.told) == PAGE + 1
    assert verbs(west) == ["list", "list"]
    touch(west, "w-0")
    watch.step()
    assert seen.told[-1] == ("w-0", False)


def test_a_list_that_expires_between_two_pages_is_begun_anew(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, *(f"w-{number}" for number in range(PAGE + 1)))
    watch = informer(west, seen)

    def compacted_once(call: Any) -> Any:
        if "continue" in call.query:
            west.faults = lambda _call: None
            put(west, "late")
            west.compact()

    west.faults = compacted_once
    watch.step()
    assert not watch.wait(0)
    watch.step()
    assert len(seen.told) == PAGE + 2


POISON: list[Any] = [
    None,
    "text",
    [],
    {},
    {"metadata": None},
    {"metadata": "x"},
    {"metadata": {}},
    {"metadata": {"name": ["x"]}},
    {"metadata": {"name": None, "namespace": {"x": 1}}},
]


@pytest.mark.parametrize("poison", POISON, ids=repr)
def test_what_is_no_object_costs_no_other_one_anything(poison: Any) -> None:
    good = {"metadata": {"name": "good", "namespace": "ns", "uid": "1", "resourceVersion": "1"}}
    later = {"metadata": {"name": "later", "namespace": "ns", "uid": "2", "resourceVersion": "11"}}
    listing = reply(200, {"items": [poison, good, poison], "metadata": {"resourceVersion": "10"}})
    events = [
        poison,
        {"type": "ADDED"},
        {"type": "ADDED", "object": poison},
        {"type": ["x"], "object": poison},
        {"type": "ADDED", "object": later},
    ]
    seen = Seen()
    with apiserver(Script(listing, stream(*events))) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.step()
        watch.step()
        assert watch.current
    assert ("good", False) in seen.told
    assert ("later", False) in seen.told


def test_an_object_that_its_listener_trips_over_costs_no_other_one_anything(west: FakeApiserver) -> None:
    seen, before = Seen("poison"), passed_over() or 0
    put(west, "a", "poison", "z")
    watch = informer(west, seen)
    watch.step()
    put(west, "later")
    touch(west, "poison")
    put(west, "latest")
    west.remove(WORKFLOWS, "ns", "poison")
    watch.step()
    assert [name for name, _ in seen.told] == ["a", "poison", "z", "later", "poison", "latest", "poison"]
    assert watch.current
    assert watch.wait(0)
    assert passed_over() == before + 3
    watch.stop()


def test_an_object_that_keep_trips_over_costs_no_other_one_anything(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, "a", "poison", "z")

    def keep(thing: dict[str, Any]) -> dict[str, Any]:
        return {**thing, "spec": {"poison": 1 / 0}} if thing["metadata"]["name"] == "poison" else thing

    watch = informer(west, seen, keep=keep)
    watch.step()
    assert [name for name, _ in seen.told] == ["a", "z"]
    watch.stop()


def test_what_is_kept_has_no_notes_about_who_wrote_what(west: FakeApiserver) -> None:
    Cluster("west", Configuration(), http=west).create(WORKFLOWS, "ns", {"metadata": {"name": "a"}, "spec": {}})
    assert "managedFields" in west.all(WORKFLOWS)[0]["metadata"]
    watch = informer(west, Seen())
    watch.step()
    assert "managedFields" not in watch.all()[0]["metadata"]


def test_a_cluster_that_is_away_at_first_is_listed_when_it_comes(west: FakeApiserver) -> None:
    seen = Seen()
    put(west, "a")
    watch = informer(west, seen)
    west.faults = lambda _call: answer(503, "starting")
    assert watch.step() > 0
    west.faults = lambda _call: REFUSE
    assert watch.step() > 0
    assert not watch.wait(0)
    west.faults = lambda _call: None
    watch.step()
    assert watch.wait(0)
    assert seen.take() == [("a", False)]


def test_a_watch_that_was_stopped_is_in_no_metric_and_stays_out(west: FakeApiserver) -> None:
    watch = informer(west, Seen())
    watch.step()
    assert up() == 1
    watch.stop()
    assert up() is None
    west.faults = lambda _call: REFUSE
    watch.step()
    assert up() is None
    assert not watch.current


def test_a_thread_follows_it_until_it_is_stopped(west: FakeApiserver) -> None:
    told = Waiting()
    put(west, "a")
    watch = Informer(Cluster("west", Configuration(), http=west), WORKFLOWS, told.note, clock=west.clock)
    watch.start()
    assert watch.wait(60)
    touch(west, "a")
    assert told.wait_for(2)
    watch.stop()


class Waiting:
    """Counts what is told, for another thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def note(self, _thing: dict[str, Any], _gone: bool) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify()

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._count >= count, 10))


def up() -> float | None:
    return REGISTRY.get_sample_value("medea_watch_up", {"cluster": "west", "kind": "workflows"})


def passed_over() -> float | None:
    labels = {"cluster": "west", "kind": "workflows"}
    return REGISTRY.get_sample_value("medea_watch_objects_passed_over_total", labels)


def test_an_object_that_is_nested_without_an_end_costs_no_other_one_anything() -> None:
    def named(name: str, version: int, spec: bytes = b"{}") -> bytes:
        metadata = f'{{"name": "{name}", "namespace": "ns", "uid": "{name}", "resourceVersion": "{version}"}}'
        return b'{"metadata": ' + metadata.encode() + b', "spec": ' + spec + b"}"

    deep = b'{"a":' * 5000 + b'"]}{"' + b"}" * 5000
    items = b", ".join([named("a", 1), named("deep", 2, deep), named("z", 3)])
    listing = b'{"metadata": {"resourceVersion": "10"}, "items": [' + items + b"]}"
    events = b"".join(
        b'{"type": "MODIFIED", "object": ' + one + b"}\n" for one in (named("deep", 11, deep), named("z", 12))
    )
    seen = Seen()
    with apiserver(Script(reply(200, listing), reply(200, events))) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.step()
        assert seen.take() == [("a", False), ("deep", False), ("z", False)]
        watch.step()
        assert seen.take() == [("deep", False), ("z", False)]
        watch.stop()


def test_no_more_objects_are_kept_than_is_said_and_each_that_goes_makes_room() -> None:
    fake = FakeApiserver("west", clock=FakeClock())
    fake.namespace("ns")
    told: list[tuple[str, bool]] = []
    informer = Informer(
        Cluster("west", Configuration(), http=fake),
        WORKFLOWS,
        lambda thing, gone: told.append((thing["metadata"]["name"], gone)),
        most=2,
    )
    for name in ("a", "b", "c"):
        fake.put(WORKFLOWS, {"metadata": {"name": name, "namespace": "ns"}})
    informer.step()
    fake.put(WORKFLOWS, {"metadata": {"name": "d", "namespace": "ns"}})
    informer.step()
    assert told == [("a", False), ("b", False)]
    fake.remove(WORKFLOWS, "ns", "a")
    fake.put(WORKFLOWS, {"metadata": {"name": "e", "namespace": "ns"}})
    informer.step()
    assert told[2:] == [("a", True), ("e", False)]
