"""The real server in a process of its own, on free ports."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from certs.files import ensure
from tests.support.ports import until_it_listens


class Running:
    """A server's process, and connections to it. A review writes to `begun` and waits for `go_on`."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", port: int, metrics_port: int, ca: Path, begun: Path, go_on: Path
    ) -> None:
        self.process, self.port, self.metrics_port, self.ca = process, port, metrics_port, ca
        self.begun, self.go_on = begun, go_on
        self._context = ssl.create_default_context(cafile=str(ca))

    def connection(self) -> http.client.HTTPSConnection:
        """One of its own, to be closed."""
        return http.client.HTTPSConnection("localhost", self.port, timeout=20, context=self._context)

    def wait_until_ready(self) -> None:
        """Until it listens and serves."""
        with urllib3.PoolManager(retries=until_it_listens(), ssl_context=self._context) as client:
            assert client.request("GET", f"https://localhost:{self.port}/readyz").status == 200


def asked(connection: http.client.HTTPSConnection, path: str, body: Any = None) -> tuple[int, str]:
    """The status, and what the answer says of the connection."""
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    answer.read()
    return answer.status, str(answer.getheader("Connection"))


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in taken]


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Running]:
    """A server that is ready, with eight threads, and with these settings."""
    files = ensure(folder / "certs")
    webhook, metrics = _free_ports(2)
    begun, go_on = folder / "begun", folder / "go-on"
    os.mkfifo(begun)
    os.mkfifo(go_on)
    settings = {
        "MEDEA_BIND": "127.0.0.1",
        "MEDEA_WEBHOOK_PORT": str(webhook),
        "MEDEA_WEBHOOK_METRICS_PORT": str(metrics),
        "MEDEA_CERTS": str(folder / "certs"),
        "MEDEA_THREADS": "8",
        "BEGUN": str(begun),
        "GO_ON": str(go_on),
        **more,
    }
    command = [sys.executable, "-m", "tests.server.stopping"]
    with subprocess.Popen(command, env={**os.environ, **settings}) as process:
        try:
            started = Running(process, webhook, metrics, files.ca, begun, go_on)
            started.wait_until_ready()
            yield started
        finally:
            process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server that is ready."""
    with running(tmp_path) as started:
        yield started
