"""The first Workflow of a namespace waits until the controller has prepared it; the webhook makes nothing itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.scripted_apiserver import Answer, Script, apiserver, reply
from webhook.errors import MedeaError, Unavailable
from webhook.model.deadline import Deadline
from webhook.namespaces.hold import OptedIn
from webhook.namespaces.prepared import Prepared

THERE = reply(200, {"metadata": {"name": "medea-executor-plugin"}})
MISSING = reply(404, {"message": "not found", "details": {"name": "medea-executor-plugin"}})


class Clock:
    """Moves only when somebody sleeps or a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@contextmanager
def prepared(script: Script, clock: Clock) -> Iterator[Prepared]:
    with apiserver(script) as front:
        yield Prepared(front, clock=clock, sleep=clock.sleep)


def space(version: str = "1") -> OptedIn:
    return OptedIn({"metadata": {"name": "ns", "uid": "n", "resourceVersion": version}})


def soon(clock: Callable[[], float]) -> Deadline:
    return Deadline.after(60, clock)


def test_one_look_is_enough_until_the_namespace_changes_or_a_while_has_gone() -> None:
    script, clock = Script(THERE), Clock()
    with prepared(script, clock) as namespaces:
        for _ in range(3):
            namespaces.wait_for(space(), soon(clock))
        assert [request.split("?")[0].split()[0] for request in script.requests] == ["GET"]
        namespaces.wait_for(space("2"), soon(clock))
        assert len(script.requests) == 2
        clock.now += 301
        namespaces.wait_for(space("2"), soon(clock))
    assert len(script.requests) == 3


def test_a_submission_waits_for_the_controller_and_goes_on_when_it_is_done() -> None:
    script, clock = Script(MISSING, MISSING, THERE), Clock()
    with prepared(script, clock) as namespaces:
        namespaces.wait_for(space(), soon(clock))
    assert len(script.requests) == 3


def test_without_a_controller_it_is_told_to_try_again() -> None:
    clock = Clock()
    with (
        prepared(Script(MISSING), clock) as namespaces,
        pytest.raises(Unavailable, match="controller has not prepared it yet; try again"),
    ):
        namespaces.wait_for(space(), soon(clock))


def test_many_at_once_look_once() -> None:
    all_wait, first = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first.set()
        assert all_wait.wait(60)
        THERE(handler)

    script, clock = Script(answer), Clock()
    with prepared(script, clock) as namespaces:
        threads = [threading.Thread(target=namespaces.wait_for, args=(space(), soon(clock))) for _ in range(5)]
        threads[0].start()
        assert first.wait(60)
        for thread in threads[1:]:
            thread.start()
        all_wait.set()
        for thread in threads:
            thread.join(20)
    assert len(script.requests) == 1


@pytest.mark.parametrize("failure", [reply(503, {"message": "starting"}), reply(403, {"message": "no"})])
def test_a_failure_is_not_remembered(failure: Answer) -> None:
    script, clock = Script(failure, THERE), Clock()
    with prepared(script, clock) as namespaces:
        with pytest.raises(MedeaError):
            namespaces.wait_for(space(), soon(clock))
        namespaces.wait_for(space(), soon(clock))
    assert len(script.requests) == 2
