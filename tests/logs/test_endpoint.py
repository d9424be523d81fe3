"""Whoever reads a log has a place, and gives it back whatever happens."""

import socket
from typing import Any, cast

import pytest

from webhook.errors import ClusterUnavailable, MedeaError, Rejected
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint, create_log_app
from webhook.logs.reader import Reader
from webhook.logs.sessions import Sessions
from webhook.logs.streams import Streams

PATH = "/containerLogs/ns/pod/main"


class Allowed:
    """Lets everybody read."""

    def check(self, _certificate: object, *, verb: str) -> None:
        """Nothing is wrong."""


class Log:
    """A log of two pieces."""

    closed = False

    def pieces(self) -> list[bytes]:
        return [b"a", b"b"]

    def end(self) -> None:
        """There is nothing to end."""

    def close(self) -> None:
        self.closed = True


class Source:
    """Finds every pod, and opens its log or fails."""

    def __init__(self, log: Log | None, error: MedeaError | None = None) -> None:
        self.log, self.error = log, error

    def find(self, _namespace: str, _name: str) -> None:
        """It is there."""

    def open(self, *_: object) -> Log | None:
        if self.error:
            raise self.error
        return self.log


class Client:
    """The reader's connection, as gunicorn hands it over."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner

    def getpeercert(self) -> dict[str, str]:
        return {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def ask(source: Source, streams: Streams, *, gone: bool = False) -> tuple[int, bytes]:
    here, there = socket.socketpair()
    endpoint = Endpoint(cast("Reader", source), cast("Access", Allowed()), streams)
    with here, there:
        if gone:
            here.close()
        app = create_log_app(endpoint, cast("Sessions", None))
        found = app.test_client().get(PATH, environ_overrides={"gunicorn.socket": Client(here)})
        answer = found.status_code, found.data
        found.close()
    return answer


def test_a_log_is_passed_on_and_its_place_given_back() -> None:
    log, streams = Log(), Streams(1)
    for _ in range(3):
        assert ask(Source(log), streams) == (200, b"ab")
    assert log.closed


@pytest.mark.parametrize(
    ("source", "gone"),
    [(Source(Log()), True), (Source(None), False), (Source(None, ClusterUnavailable("west is away")), False)],
    ids=["the reader went", "nobody waits", "the target is away"],
)
def test_a_log_that_is_not_passed_on_gives_its_place_back(source: Source, gone: bool) -> None:
    streams = Streams(1)
    for _ in range(3):
        status, _words = ask(source, streams, gone=gone)
        assert status in {400, 500}
    assert source.log is None or source.log.closed
    streams.take()


def test_words_are_a_kubelets_without_a_line_end_that_readers_would_see() -> None:
    words = 'previous terminated container "main" in pod "p" not found'
    assert ask(Source(None, Rejected(words)), Streams(1)) == (400, words.encode())
