"""What is different from port to port, where gunicorn knows but one way for all of them.

TLS or none, whose certificates are asked for, and which application answers. And a deadline on every connection:
gunicorn waits for ever for a client that falls silent within a request. Its hook `ssl_context` is the one place that
every connection passes, so connections are put right there.
"""

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from webhook.errors import MedeaError
from webhook.model.limits import SERVER_SILENCE

Make = Callable[[], ssl.SSLContext]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_FILES = ("tls.crt", "tls.key", "ca.crt")


class _Deadlined(socket.socket):
    """A socket that, where it would wait for ever, waits `SERVER_SILENCE`."""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(SERVER_SILENCE if flag else 0.0)


class _DeadlinedTLS(_Deadlined, ssl.SSLSocket):
    pass


def tls_only_on(port: int, others: Mapping[int, Make] | None = None) -> Callable[[Any, Make], Any]:
    """A value for gunicorn's setting `ssl_context`: TLS on `port` as gunicorn has it, on `others` as they say."""

    def context(_: Any, default: Make) -> Any:
        return _ByPort({port: default, **(others or {})})

    return context


def known_clients_only(folder: Path) -> Make:
    """TLS that takes only clients whose certificate `ca.crt` has signed. Raises MedeaError for a file that is missing.

    The files are read anew for each connection, as gunicorn does it with its own, so that they can be rotated.
    """
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise MedeaError(f"MEDEA_LOGS_CERTS is {folder}, where {', '.join(missing)} is missing")

    def make() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        context.load_verify_locations(folder / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    return make


def by_port(default: Application, others: Mapping[int, Application]) -> Application:
    """One WSGI application of several: a connection's port says whose it is, and no header can."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        port = environ["gunicorn.socket"].getsockname()[1]
        return others.get(port, default)(environ, start_response)

    return application


class _ByPort:
    """Stands where gunicorn expects a TLS context: wraps what arrives on some ports in TLS, and the rest in itself."""

    def __init__(self, makers: Mapping[int, Make]) -> None:
        self._makers = makers

    def wrap_socket(self, sock: socket.socket, **options: Any) -> socket.socket:
        """The connection, wrapped. The certificate is read anew for each, so that it can be rotated."""
        make = self._makers.get(sock.getsockname()[1])
        if make is None:
            plain = _Deadlined(sock.family, sock.type, sock.proto, fileno=sock.detach())
            plain.setblocking(True)
            return plain
        context = make()
        context.sslsocket_class = _DeadlinedTLS
        # The handshake is part of the wrapping, and has the same deadline.
        sock.settimeout(SERVER_SILENCE)
        return context.wrap_socket(sock, **options)
