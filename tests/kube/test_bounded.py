"""No server, however slow, holds a thread of Medea's longer than the call's deadline, over TLS or without."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from certs.files import Files, ensure
from tests.support.scripted_apiserver import Answer, Script, apiserver, reply, stream
from webhook.errors import ClusterUnavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS

FOUND = {"metadata": {"name": "a", "filling": "x" * 300_000}}


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> Files | None:
    return ensure(tmp_path) if request.param else None


def slowly(handler: Any, piece: bytes) -> None:
    """The same few bytes now and then, for as long as somebody listens."""
    for _ in range(1000):
        handler.wfile.write(piece)
        handler.wfile.flush()
        threading.Event().wait(0.1)


def body(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    slowly(handler, b" ")


def chunks(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    slowly(handler, b"1\r\n \r\n")


def size_of_a_chunk(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    slowly(handler, b"0")


def headers(handler: Any) -> None:
    handler.send_response(200)
    handler.flush_headers()
    slowly(handler, b"X")


def status_line(handler: Any) -> None:
    slowly(handler, b"H")


@pytest.mark.parametrize("drip", [body, chunks, size_of_a_chunk, headers, status_line])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up_at_the_deadline(drip: Answer, tls: Files | None) -> None:
    began = time.monotonic()
    with apiserver(Script(drip), tls=tls) as west, pytest.raises(ClusterUnavailable):
        west.get(WORKFLOWS, "ns", "a", read_timeout=0.5)
    assert time.monotonic() - began < 50


def test_a_watch_ends_at_its_deadline_too(tls: Files | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.kube.client.WATCH_READ_TIMEOUT", 0.5)
    with apiserver(Script(chunks), tls=tls) as west:
        events = west.watch(WORKFLOWS, None, selector="", version="1", stop=threading.Event())
        with pytest.raises(ClusterUnavailable, match="the watch on west broke"):
            next(events)


def test_events_arrive_as_they_are_sent(tls: Files | None) -> None:
    sent = threading.Event()
    with apiserver(Script(stream({"type": "ADDED"}, then=lambda: sent.wait(10))), tls=tls) as west:
        events = west.watch(WORKFLOWS, None, selector="", version="1", stop=threading.Event())
        assert next(events) == {"type": "ADDED"}
        sent.set()
        assert list(events) == []


def connections(cluster: Cluster) -> int:
    pools: Any = cluster._transport._calls
    (key,) = pools.pools.keys()
    return int(pools.pools[key].num_connections)


def test_a_connection_is_used_again_with_the_whole_time_for_the_next_call(
    tls: Files | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    monkeypatch.setattr("webhook.kube.bounded.time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed))
    large = {"metadata": {"name": "a", "filling": "y" * 2_000_000}}
    with apiserver(Script(reply(200, FOUND)), tls=tls) as west:
        for _ in range(5):
            assert west.get(WORKFLOWS, "ns", "a", read_timeout=30) == FOUND
            passed += 60
            assert west.create(WORKFLOWS, "ns", large, read_timeout=30) == FOUND
        assert connections(west) == 1
