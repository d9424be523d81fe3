"""A log is read as it is written, for as long as it takes, and no longer than somebody wants it."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.scripted_apiserver import Script, apiserver, cut, reply
from webhook.errors import ClusterUnavailable, NotThere, Rejected

QUERY = (("container", "main"), ("follow", "true"))


def log(*pieces: bytes, then: Callable[[], object] = lambda: None, whole: bool = True) -> Callable[..., None]:
    """A log as an apiserver streams it; `whole`: to its proper end."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.flush()
        then()
        if whole:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = not whole

    return give


def test_pieces_arrive_as_they_are_written() -> None:
    written = threading.Event()
    with apiserver(Script(log(b"first\n", then=lambda: written.wait(60)))) as cluster:
        found = cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        assert found is not None
        pieces = found.pieces()
        assert next(pieces) == b"first\n"
        written.set()
        assert list(pieces) == []
        found.close()


def test_the_question_reaches_the_apiserver() -> None:
    script = Script(log(b"x"))
    with apiserver(script) as cluster:
        found = cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        assert found is not None
        assert list(found.pieces()) == [b"x"]
    assert script.requests == ["GET /api/v1/namespaces/ns/pods/pod/log?container=main&follow=true"]


def test_a_log_that_is_silent_from_the_start_is_no_failure() -> None:
    ended = threading.Event()

    def silent(_: BaseHTTPRequestHandler) -> None:
        ended.wait(60)

    with apiserver(Script(silent)) as cluster:
        assert cluster.open_log("ns", "pod", QUERY, patience=0.2, follow=True) is None
        ended.set()


def test_a_log_that_falls_silent_is_waited_for_longer_than_for_its_beginning() -> None:
    with apiserver(Script(log(b"a", then=lambda: threading.Event().wait(4)))) as cluster:
        found = cluster.open_log("ns", "pod", QUERY, patience=3, follow=True)
        assert found is not None
        assert list(found.pieces()) == [b"a"]


def test_whoever_wants_no_more_ends_the_reading_in_another_thread() -> None:
    never = threading.Event()
    with apiserver(Script(log(b"a", then=lambda: never.wait(120)))) as cluster:
        found = cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        assert found is not None
        pieces = found.pieces()
        assert next(pieces) == b"a"
        threading.Timer(0.1, found.end).start()
        assert list(pieces) == []
        found.close()
        # Again, and after the end: two threads may think of it at once.
        found.end()
        never.set()


def test_a_log_that_breaks_off_is_not_taken_for_one_that_ended() -> None:
    with apiserver(Script(log(b"a", whole=False))) as cluster:
        found = cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        assert found is not None
        with pytest.raises(ClusterUnavailable, match="broke off"):
            list(found.pieces())


def test_what_the_target_says_against_it_is_passed_on() -> None:
    gone = {"message": 'pods "pod" not found', "details": {"name": "pod"}}
    waits = {"message": 'container "main" in pod "pod" is waiting to start: PodInitializing'}
    with apiserver(Script(reply(404, gone), reply(400, waits), cut)) as cluster:
        with pytest.raises(NotThere):
            cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        with pytest.raises(Rejected, match="waiting to start"):
            cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
        with pytest.raises(ClusterUnavailable):
            cluster.open_log("ns", "pod", QUERY, patience=60, follow=True)
