"""Clients that connect and then say nothing, or stop halfway, keep nobody else from being served."""

import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.end_to_end.manifests import from_template
from tests.end_to_end.medea import BALANCER, CA, PLUGIN, WEBHOOK, call
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import MEDEA_PORT

SEVERAL, MANY = 6, 40
_API_PORT = int(BALANCER.rpartition(":")[2])
_PLUGIN_PORT = int(PLUGIN.rpartition(":")[2])


def _tcp(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _tls(port: int = MEDEA_PORT) -> socket.socket:
    context = ssl.create_default_context(cafile=CA)
    return context.wrap_socket(_tcp(port), server_hostname="127.0.0.1")


def _said(connection: socket.socket, words: bytes) -> socket.socket:
    connection.sendall(words)
    return connection


# The first bytes of a TLS record that announces more than ever comes.
_HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
_HALF_HEAD = b"POST /mutate HTTP/1.1\r\nHost: medea\r\nContent-"
_HALF_BODY = b'POST /mutate HTTP/1.1\r\nHost: medea\r\nContent-Length: 1000\r\n\r\n{"kind":'

SILENT: dict[str, Callable[[], socket.socket]] = {
    "connects to the TLS port": lambda: _tcp(MEDEA_PORT),
    "connects to the API": lambda: _tcp(_API_PORT),
    "connects to the plugin's door": lambda: _tcp(_PLUGIN_PORT),
    "sends half a TLS greeting": lambda: _said(_tcp(MEDEA_PORT), _HALF_HELLO),
    "greets over TLS": _tls,
    "sends half a head": lambda: _said(_tls(), _HALF_HEAD),
    "sends half a body": lambda: _said(_tls(), _HALF_BODY),
    "sends half a body to the API": lambda: _said(_tls(_API_PORT), _HALF_BODY),
}


@pytest.mark.parametrize("count", [SEVERAL, MANY])
@pytest.mark.parametrize("silence", list(SILENT))
def test_a_client_that_falls_silent_stops_nobody_else(shared: Workspace, silence: str, count: int) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(SILENT[silence]())
        # A fresh connection each: one that is kept alive has its place already.
        close = {"Connection": "close"}
        assert call("GET", "/readyz", base=WEBHOOK, headers=close).status_code == 200
        assert call("GET", f"/api/v1/targets/{shared.name}", base=BALANCER, headers=close).status_code == 200
        assert call("POST", "/api/v1/plugin", base=PLUGIN, headers=close, body={}).status_code == 400
        assert "would be placed" in shared.dry_run(from_template({"executor_num": "0"})).ok().said
