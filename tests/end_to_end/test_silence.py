"""Clients that connect and then say nothing, or stop halfway, keep nobody else from being served."""

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.end_to_end.manifests import from_template
from tests.end_to_end.medea import BALANCER, CA, TLS, call
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import MEDEA_PORT

# Medea serves 32 requests at a time: the second number is more than that.
SEVERAL, MANY = 6, 40


def _tcp(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _tls() -> socket.socket:
    context = ssl.create_default_context(cafile=CA)
    return context.wrap_socket(_tcp(MEDEA_PORT), server_hostname="127.0.0.1")


def _said(connection: socket.socket, words: bytes) -> socket.socket:
    connection.sendall(words)
    return connection


# The first bytes of a TLS record that announces more than ever comes.
_HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
_HALF_HEAD = b"POST /mutate HTTP/1.1\r\nHost: medea\r\nContent-"
_HALF_BODY = b'POST /mutate HTTP/1.1\r\nHost: medea\r\nContent-Length: 1000\r\n\r\n{"kind":'

SILENT: dict[str, Callable[[], socket.socket]] = {
    "connects to the TLS port": lambda: _tcp(MEDEA_PORT),
    "connects to a plain port": lambda: _tcp(8090),
    "sends half a TLS greeting": lambda: _said(_tcp(MEDEA_PORT), _HALF_HELLO),
    "greets over TLS": _tls,
    "sends half a head": lambda: _said(_tls(), _HALF_HEAD),
    "sends half a body": lambda: _said(_tls(), _HALF_BODY),
    "sends half a body to a plain port": lambda: _said(_tcp(8090), _HALF_BODY),
}


@pytest.mark.parametrize("count", [SEVERAL, MANY])
@pytest.mark.parametrize("silence", list(SILENT))
def test_a_client_that_falls_silent_stops_nobody_else(shared: Workspace, silence: str, count: int) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(SILENT[silence]())
        # A fresh connection each: one that is kept alive has its place already.
        close = {"Connection": "close"}
        assert call("GET", "/readyz", base=TLS, headers=close).status_code == 200
        assert call("GET", "/readyz", base=BALANCER, headers=close).status_code == 200
        manifest = json.dumps(from_template({"executor_num": "0"}))
        said = shared.kubectl("create", "-f", "-", "--dry-run=server", stdin=manifest).ok().said
        assert "would be placed" in said
