"""What differs from port to port, which gunicorn configures only for all ports together.

That is TLS or not, whose client certificates are required, and which application answers. Every connection also gets a
deadline: gunicorn waits for ever for a client that falls silent within a request. Every connection passes through
gunicorn's hook `ssl_context`, so all of this is done there.
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
    """A socket that waits for SERVER_SILENCE where it would otherwise wait for ever."""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(SERVER_SILENCE if flag else 0.0)


class _DeadlinedTLS(_Deadlined, ssl.SSLSocket):
    pass


def tls_only_on(port: int, others: Mapping[int, Make] | None = None) -> Callable[[Any, Make], Any]:
    """For gunicorn's setting `ssl_context`: TLS on `port` as gunicorn configures it, on `others` as given there."""

    def context(_: Any, default: Make) -> Any:
        return _ByPort({port: default, **(others or {})})

    return context


def known_clients_only(folder: Path) -> Make:
    """TLS for clients with a certificate signed by `ca.crt` only. Raises MedeaError if a file is missing.

    The files are read for each connection, as gunicorn does with its own, so that they can be rotated.
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
    """Combines WSGI applications by the connection's port, which clients can't fake as they can headers."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        port = environ["gunicorn.socket"].getsockname()[1]
        return others.get(port, default)(environ, start_response)

    return application


class _ByPort:
    """Used by gunicorn as a TLS context: wraps connections on some ports in TLS, and leaves the others plain."""

    def __init__(self, makers: Mapping[int, Make]) -> None:
        self._makers = makers

    def wrap_socket(self, sock: socket.socket, **options: Any) -> socket.socket:
        """The wrapped connection. The certificate is read for each one, so that it can be rotated."""
        make = self._makers.get(sock.getsockname()[1])
        if make is None:
            plain = _Deadlined(sock.family, sock.type, sock.proto, fileno=sock.detach())
            plain.setblocking(True)
            return plain
        context = make()
        context.sslsocket_class = _DeadlinedTLS
        # The handshake happens during the wrapping, and has the same deadline.
        sock.settimeout(SERVER_SILENCE)
        return context.wrap_socket(sock, **options)
