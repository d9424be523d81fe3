"""A connection on which another protocol follows: its first bytes are not taken for HTTP, whatever comes with them."""

import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from certs.files import ensure
from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.errors import ClusterUnavailable, Rejected
from webhook.kube.client import Cluster
from webhook.kube.pod_connection import PodConnection

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"


def connect(cluster: Cluster, *, patience: float = 5) -> PodConnection:
    upgrade = [("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "v5"), ("X-Stream-Protocol-Version", "v4")]
    query = [("command", "a b"), ("command", "&c")]
    return cluster.connect_to_pod("ns", "p", "exec", method="POST", query=query, upgrade=upgrade, patience=patience)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_follows_the_answer_at_once_is_there_to_be_read(tmp_path: Path, tls: bool) -> None:
    asked: list[list[str]] = []

    def give(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers.get_all("X-Stream-Protocol-Version") or [])
        asked.append(handler.headers.get_all("Accept") or [])
        handler.connection.sendall(HEAD + b"Date: now\r\nX-Stream-Protocol-Version: v5\r\n\r\n\x80\x03")
        assert handler.connection.recv(100) == b"\x00\r\n"
        handler.connection.sendall(b"end")
        handler.close_connection = True

    script = Script(give)
    with apiserver(script, tls=ensure(tmp_path) if tls else None) as cluster, closing(connect(cluster)) as found:
        assert found.head == HEAD + b"X-Stream-Protocol-Version: v5\r\n\r\n"
        assert found.socket.recv(100) == b"\x80\x03"
        found.socket.sendall(b"\x00\r\n")
        assert found.socket.recv(100) == b"end"
    assert script.requests == ["POST /api/v1/namespaces/ns/pods/p/exec?command=a+b&command=%26c"]
    # A kubelet answers 406 to whoever accepts JSON only.
    assert asked == [["v5", "v4"], ["*/*"]]


def test_a_long_refusal_is_read_to_its_end_and_the_connection_used_again() -> None:
    words = "no " * 3000
    with apiserver(Script(reply(400, {"message": words}))) as cluster:
        for _ in range(2):
            with pytest.raises(Rejected, match="no no"):
                connect(cluster)


def test_an_answer_that_comes_in_drops_is_waited_for_no_longer_than_one_that_does_not_come() -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        for byte in HEAD * 100:
            handler.connection.sendall(bytes([byte]))
            stop.wait(0.02)

    with apiserver(Script(drip)) as cluster, pytest.raises(ClusterUnavailable):
        connect(cluster, patience=0.2)
    stop.set()
