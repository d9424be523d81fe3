"""What a namespace needs is made once, by one at a time, and never where time has run out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.support.scripted_apiserver import Answer, Script, apiserver, reply
from webhook.errors import Unavailable
from webhook.model.deadline import Deadline
from webhook.namespaces.prepare import Prepared

MADE = reply(201, {})
THERE = reply(409, {"message": "already exists", "reason": "AlreadyExists", "details": {"name": "x"}})


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def prepared(script: Script, clock: Clock) -> Iterator[Prepared]:
    with apiserver(script) as front:
        yield Prepared(front, clock=clock)


def soon() -> Deadline:
    return Deadline.after(60)


@pytest.mark.parametrize("answer", [MADE, THERE], ids=["missing", "there already"])
def test_a_namespace_is_prepared_without_reading_anything_and_then_remembered(answer: Answer) -> None:
    script = Script(answer)
    with prepared(script, Clock()) as namespaces:
        for _ in range(3):
            namespaces.see_to("ns", "uid-1", soon())
    assert [request.split()[0] for request in script.requests] == ["POST"] * 6


def test_one_that_was_deleted_and_made_anew_is_another_and_after_a_while_each_is_made_sure_of() -> None:
    script, clock = Script(THERE), Clock()
    with prepared(script, clock) as namespaces:
        namespaces.see_to("ns", "uid-1", soon())
        namespaces.see_to("ns", "uid-2", soon())
        assert len(script.requests) == 12
        clock.now += 301
        namespaces.see_to("ns", "uid-1", soon())
    assert len(script.requests) == 18


def test_many_at_once_prepare_it_once() -> None:
    all_wait, first = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first.set()
        assert all_wait.wait(20)
        MADE(handler)

    script = Script(answer)
    with prepared(script, Clock()) as namespaces:
        threads = [threading.Thread(target=namespaces.see_to, args=("ns", "uid-1", soon())) for _ in range(5)]
        threads[0].start()
        assert first.wait(20)
        for thread in threads[1:]:
            thread.start()
        all_wait.set()
        for thread in threads:
            thread.join(20)
    assert len(script.requests) == 6


def test_who_can_not_wait_for_another_any_longer_is_told_to_try_again() -> None:
    over, first = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first.set()
        assert over.wait(20)
        MADE(handler)

    with prepared(Script(answer), Clock()) as namespaces:
        thread = threading.Thread(target=namespaces.see_to, args=("ns", "uid-1", soon()))
        thread.start()
        assert first.wait(20)
        with pytest.raises(Unavailable, match="still being prepared; try again"):
            namespaces.see_to("ns", "uid-1", Deadline.after(0.01))
        over.set()
        thread.join(20)


def test_a_failure_is_not_remembered() -> None:
    script: Any = Script(reply(503, {"message": "starting"}), THERE)
    with prepared(script, Clock()) as namespaces:
        with pytest.raises(Unavailable):
            namespaces.see_to("ns", "uid-1", soon())
        namespaces.see_to("ns", "uid-1", soon())
    assert len(script.requests) == 7


def test_nothing_is_made_when_there_is_no_time_left() -> None:
    script = Script(MADE)
    with prepared(script, Clock()) as namespaces, pytest.raises(Unavailable, match="no time left to prepare"):
        namespaces.see_to("ns", "uid-1", Deadline.after(0))
    assert script.requests == []
