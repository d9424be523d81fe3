"""Told to end, the service finishes what it has begun, breaks off nobody, and is gone soon."""

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from certs.files import ensure

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


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in taken]


class Running:
    """A server's process, and connections to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, ca: Path, begun: Path, go_on: Path) -> None:
        self.process, self.begun, self.go_on = process, begun, go_on
        self._port, self._context = port, ssl.create_default_context(cafile=str(ca))

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self._port, timeout=20, context=self._context)

    def wait_until_ready(self) -> None:
        retries = urllib3.Retry(total=300, backoff_factor=0.01, backoff_max=0.1)
        with urllib3.PoolManager(retries=retries, ssl_context=self._context) as client:
            assert client.request("GET", f"https://localhost:{self._port}/readyz").status == 200


def asked(connection: http.client.HTTPSConnection, path: str, body: Any = None) -> tuple[int, str]:
    """The status, and what the answer says of the connection."""
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    answer.read()
    return answer.status, str(answer.getheader("Connection"))


@contextmanager
def _serving(folder: Path) -> Iterator[Running]:
    files = ensure(folder / "certs")
    webhook, balancer, scout, metrics = _free_ports(4)
    begun, go_on = folder / "begun", folder / "go-on"
    os.mkfifo(begun)
    os.mkfifo(go_on)
    settings = {
        "MEDEA_BIND": "127.0.0.1",
        "MEDEA_WEBHOOK_PORT": str(webhook),
        "MEDEA_BALANCER_PORT": str(balancer),
        "MEDEA_SCOUT_PORT": str(scout),
        "MEDEA_METRICS_PORT": str(metrics),
        "MEDEA_CERTS": str(folder / "certs"),
        "MEDEA_THREADS": "8",
        "BEGUN": str(begun),
        "GO_ON": str(go_on),
    }
    command = [sys.executable, "-m", "tests.server.stopping"]
    with subprocess.Popen(command, env={**os.environ, **settings}) as process:
        try:
            yield Running(process, webhook, files.ca, begun, go_on)
        finally:
            process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server that is ready."""
    with _serving(tmp_path) as running:
        running.wait_until_ready()
        yield running


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
        while (answer := asked(idle, "/readyz")) == (200, "keep-alive"):
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
