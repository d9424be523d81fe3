"""Whoever enters a pod speaks with it as if directly, has a place, and is told what is against it."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast

import pytest
import urllib3

from certs.files import ensure
from tests.logs.entering import sessions_at
from tests.support.exchange import exchange
from tests.support.ports import until_it_listens
from tests.support.scripted_apiserver import Script, apiserver, cut, reply
from webhook.logs.endpoint import Endpoint, create_log_app

EXEC = "/exec/ns/pod/main?output=1&command=sh"
SPDY = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v5.channel.k8s.io"}
FORBIDDEN = {"message": 'pods "real" is forbidden: User "medea" cannot create resource "pods/exec" in API group ""'}
NO_POD = {"message": 'pods "real" not found', "details": {"name": "real"}}


def switched(then: Callable[[socket.socket], object]) -> Callable[[BaseHTTPRequestHandler], None]:
    """The target agrees, and its pod says a word at once; `then` has the connection."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        handler.connection.sendall(head + b"X-Stream-Protocol-Version: v5.channel.k8s.io\r\n\r\nhello")
        then(handler.connection)
        handler.close_connection = True

    return give


def echo(pod: socket.socket) -> None:
    while piece := pod.recv(1 << 16):
        pod.sendall(piece)


@dataclass(frozen=True)
class Door:
    """The door's process, and how to connect to it."""

    process: "subprocess.Popen[bytes]"
    port: int
    context: ssl.SSLContext

    def enter(self, path: str = EXEC) -> tuple[ssl.SSLSocket, bytes]:
        """Ask for a session; returns the connection, and what was answered at first."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        user = self.context.wrap_socket(plain, server_hostname="localhost")
        headers = "".join(f"{name}: {value}\r\n" for name, value in SPDY.items())
        user.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = user.recv(1 << 16)
            assert piece, answer
            answer += piece
        return user, answer


@contextmanager
def door(folder: Path, script: Script, *, sessions: int = 2) -> Iterator[Door]:
    """The real door for logs in a process of its own, in front of this target."""
    files = ensure(folder)
    context = ssl.create_default_context(cafile=str(files.ca))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [taken.getsockname()[1] for taken in (one, other)]
    with apiserver(script) as target:
        settings = {
            "MEDEA_BIND": "127.0.0.1",
            "MEDEA_LOGS_PORT": str(ports[0]),
            "MEDEA_LOGS_METRICS_PORT": str(ports[1]),
            "MEDEA_LOGS_CERTS": str(folder),
            "MEDEA_LOGS_STREAMS": "1",
            "MEDEA_LOGS_SESSIONS": str(sessions),
            "TARGET": target.address,
        }
        command = [sys.executable, "-m", "tests.logs.entering"]
        with subprocess.Popen(command, env={**os.environ, **settings}) as process:
            try:
                with urllib3.PoolManager(retries=until_it_listens(), ssl_context=context) as client:
                    assert client.request("GET", f"https://localhost:{ports[0]}/").status == 404
                yield Door(process, ports[0], context)
            finally:
                process.kill()


def test_a_session_is_like_a_connection_of_its_own_and_ends_with_the_user(tmp_path: Path) -> None:
    ended = threading.Event()

    def talk(pod: socket.socket) -> None:
        echo(pod)
        ended.set()

    script = Script(switched(talk))
    much = os.urandom(1 << 20)
    with door(tmp_path, script) as here:
        user, answer = here.enter()
        with user:
            head, _, early = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ") and b"X-Stream-Protocol-Version: v5.channel.k8s.io" in head
            assert early + exchange(user, b"", 5 - len(early)) == b"hello"
            assert exchange(user, much, len(much)) == much
        assert ended.wait(20)
    assert script.requests == ["POST /api/v1/namespaces/ns/pods/real/exec?container=main&stdout=true&command=sh"]


def test_a_session_ends_with_its_pod_and_only_then_gives_its_place_to_another(tmp_path: Path) -> None:
    going = threading.Semaphore(0)
    script = Script(switched(lambda _: going.acquire(timeout=20)))
    with door(tmp_path, script, sessions=1) as here:
        user, _ = here.enter()
        refused, answer = here.enter()
        with closing(refused):
            assert answer.startswith(b"HTTP/1.1 429 ")
        for _ in range(3):
            going.release()
            with user:
                while user.recv(100):
                    pass
            while (entered := here.enter())[1].startswith(b"HTTP/1.1 429 "):
                # The place is given back a moment after the user has heard of the end.
                entered[0].close()
            user, answer = entered
            assert answer.startswith(b"HTTP/1.1 101 ")
        # The last one is still open, and keeps the process from nothing.
        with user:
            here.process.terminate()
            assert here.process.wait(20) == 0


def refused(target: Any, path: str = EXEC, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """The status, and the message, of a session that did not begin."""
    here, there = socket.socketpair()
    with here, there, apiserver(Script(target)) as west:
        app = create_log_app(cast("Endpoint", None), sessions_at(west.address, 1))

        class Client:
            def getpeercert(self) -> None:
                """None was shown."""

        answer: Any = None
        for _ in range(2):
            # Twice: the place of the first was given back.
            answer = app.test_client().post(
                path, headers=headers or SPDY, environ_overrides={"gunicorn.socket": Client()}
            )
        assert answer.json["code"] == answer.status_code and answer.json["kind"] == "Status"
        return answer.status_code, answer.json["message"]


def test_a_target_that_lets_nobody_in_is_named_with_what_its_administrator_can_do() -> None:
    code, words = refused(reply(403, FORBIDDEN))
    assert code == 403
    assert words.startswith("west does not let Medea into pods of namespace ns (pods/exec)")
    assert words.endswith("medea target add west --namespaces ns --exec")


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        (reply(404, NO_POD), 404, 'pods "real" not found'),
        (reply(400, {"message": "container main is not valid"}), 400, "container main is not valid"),
        (reply(500, b"failed to create exec"), 503, "answered 500: 'failed to create exec'"),
        (reply(200, {}), 503, "answered 200: no upgraded connection gets through"),
        (cut, 503, "did not answer"),
    ],
)
def test_what_a_target_says_against_it_is_passed_on(target: Any, code: int, words: str) -> None:
    found = refused(target)
    assert (found[0], words in found[1]) == (code, True), found


def test_a_target_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.logs.sessions.LONGEST_SESSION_START", 0.1)
    never = threading.Event()
    assert refused(lambda _: never.wait(20)) == (503, "cluster west has not answered within 0 s")
    never.set()


def test_a_refusal_says_nothing_about_the_targets_health() -> None:
    with apiserver(Script(reply(500, b"one kubelet is ill"))) as west:
        for _ in range(10):
            with pytest.raises(Exception, match="one kubelet is ill"):
                west.connect_to_pod(
                    "ns", "real", "exec", method="POST", query=(), upgrade=[("Upgrade", "x")], patience=5
                )
        assert west.health.well


def test_a_container_that_the_run_has_not_is_told_with_those_it_has() -> None:
    code, words = refused(cut, "/attach/ns/pod/debugger-x")
    assert code == 400
    assert "the pod real on west has no container debugger-x but main, wait; what `kubectl debug` adds" in words


def test_a_plain_request_leads_nowhere() -> None:
    code, words = refused(cut, "/portForward/ns/pod", {"Accept": "*/*"})
    assert (code, "header Upgrade is ''" in words) == (400, True)
