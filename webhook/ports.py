"""TLS on one of gunicorn's ports, none on the others, and a deadline on every one of their connections.

gunicorn knows TLS for all of its ports or for none, and waits for ever for a client that falls silent within a request.
Its hook `ssl_context` is the one place that every connection passes, so both are put right there.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any

_SILENCE = 3.0
"""Seconds: a client that says nothing halfway through a request holds a thread for so long, and no longer."""


class _Deadlined(socket.socket):
    """A socket that, where it would wait for ever, waits `_SILENCE`."""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(_SILENCE if flag else 0.0)


class _DeadlinedTLS(_Deadlined, ssl.SSLSocket):
    pass


def tls_only_on(port: int) -> Callable[[Any, Callable[[], ssl.SSLContext]], Any]:
    """A value for gunicorn's setting `ssl_context`."""

    def context(_: Any, default: Callable[[], ssl.SSLContext]) -> Any:
        return _ByPort(default, port)

    return context


class _ByPort:
    """Stands where gunicorn expects a TLS context: wraps what arrives on one port in TLS, and the rest in itself."""

    def __init__(self, make: Callable[[], ssl.SSLContext], port: int) -> None:
        self._make, self._port = make, port

    def wrap_socket(self, sock: socket.socket, **options: Any) -> socket.socket:
        """The connection, wrapped. The certificate is read anew for each, so that it can be rotated."""
        if sock.getsockname()[1] != self._port:
            plain = _Deadlined(sock.family, sock.type, sock.proto, fileno=sock.detach())
            plain.setblocking(True)
            return plain
        context = self._make()
        context.sslsocket_class = _DeadlinedTLS
        # The handshake is part of the wrapping, and has the same deadline.
        sock.settimeout(_SILENCE)
        return context.wrap_socket(sock, **options)
