"""Told to end, the service finishes what it has begun, breaks off nobody, and is gone soon."""

import contextlib
import http.client
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.server.conftest import Running, asked

REVIEW = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "u-1",
        "operation": "CREATE",
        "kind": {"kind": "Workflow"},
        "namespace": "ns",
        "userInfo": {"username": "ann"},
        "object": {},
    },
}


def reviewed(server: Running) -> int:
    """The status of a review, once it is answered."""
    with contextlib.closing(server.connection()) as connection:
        return asked(connection, "/mutate", REVIEW)[0]


def test_a_review_under_way_is_answered_and_an_idle_connection_is_not_cut(server: Running) -> None:
    with contextlib.closing(server.connection()) as idle, ThreadPoolExecutor(1) as apiserver:
        assert asked(idle, "/healthz") == (200, "keep-alive")
        review = apiserver.submit(reviewed, server)
        assert server.begun.read_text() == "begun"
        server.process.send_signal(signal.SIGTERM)
        # The worker hears of it a moment later; until then an answer says that the connection stays.
        while (answer := asked(idle, "/readyz"))[1] == "keep-alive":
            pass
        assert answer == (503, "close")
        server.go_on.write_text("go on")
        assert review.result(20) == 200
    assert server.process.wait(20) == 0


def test_what_never_ends_does_not_keep_the_process(server: Running) -> None:
    with ThreadPoolExecutor(1) as apiserver:
        review = apiserver.submit(reviewed, server)
        assert server.begun.read_text() == "begun"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            review.result(20)


def test_those_who_connect_and_say_nothing_are_put_aside(server: Running) -> None:
    with ExitStack() as stack:
        # Each holds one of the eight threads, until gunicorn puts it aside after five seconds.
        for _ in range(8):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
        with contextlib.closing(server.connection()) as connection:
            assert asked(connection, "/readyz")[0] == 200
