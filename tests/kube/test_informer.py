"""A list that stays true, whatever happens to its connection."""

import queue
import threading
from typing import Any

from tests.support.scripted_apiserver import Script, apiserver, cut, reply, stream
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS


def thing(name: str, version: str, uid: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "uid": uid or name, "resourceVersion": version}}


def listing(*things: dict[str, Any], version: str = "10") -> Any:
    return reply(200, {"items": list(things), "metadata": {"resourceVersion": version}})


class Seen:
    """What a listener was told, in order."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[str, bool]] = queue.Queue()

    def note(self, told: dict[str, Any], gone: bool) -> None:
        self._told.put((told["metadata"]["name"] + told["metadata"]["resourceVersion"], gone))

    def next(self, count: int) -> list[tuple[str, bool]]:
        return [self._told.get(timeout=10) for _ in range(count)]


def hold(event: threading.Event) -> Any:
    """A stream that stays open without a word until the test is over."""
    return stream(then=lambda: event.wait(20))


def test_what_is_listed_and_then_changes_is_told_once_each() -> None:
    over, seen = threading.Event(), Seen()
    events = [
        {"type": "MODIFIED", "object": thing("a", "11")},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "12"}}},
        {"type": "ADDED", "object": thing("b", "13")},
        {"type": "DELETED", "object": thing("a", "14")},
    ]
    script = Script(listing(thing("a", "1")), stream(*events), hold(over))
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.start()
        assert seen.next(4) == [("a1", False), ("a11", False), ("b13", False), ("a14", True)]
        assert watch.get("ns", "a") is None
        assert [one["metadata"]["name"] for one in watch.all()] == ["b"]
        watch.stop()
        over.set()


def test_what_vanished_while_the_connection_was_lost_is_told_after_it() -> None:
    over, seen = threading.Event(), Seen()
    script = Script(listing(thing("a", "1"), thing("b", "2")), cut, listing(thing("b", "5")), hold(over))
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.start()
        assert seen.next(4) == [("a1", False), ("b2", False), ("a1", True), ("b5", False)]
        watch.stop()
        over.set()


def test_one_that_was_replaced_under_its_name_is_told_gone_and_new() -> None:
    over, seen = threading.Event(), Seen()
    script = Script(listing(thing("a", "1", "old")), cut, listing(thing("a", "9", "new")), hold(over))
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.start()
        assert seen.next(3) == [("a1", False), ("a1", True), ("a9", False)]
        watch.stop()
        over.set()


def test_a_version_that_is_too_old_leads_to_a_new_list() -> None:
    over, seen = threading.Event(), Seen()
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}
    script = Script(listing(thing("a", "1")), stream(gone), listing(thing("a", "7")), hold(over))
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.start()
        assert seen.next(2) == [("a1", False), ("a7", False)]
        watch.stop()
        over.set()


def test_a_cluster_that_is_away_at_first_is_listed_when_it_comes() -> None:
    over, seen = threading.Event(), Seen()
    script = Script(reply(503, {"message": "starting"}), cut, listing(thing("a", "1")), hold(over))
    with apiserver(script) as west:
        watch = Informer(west, WORKFLOWS, seen.note)
        watch.start()
        assert watch.wait(10)
        assert seen.next(1) == [("a1", False)]
        watch.stop()
        over.set()
