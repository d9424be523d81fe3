"""TLS of a door, for gunicorn's setting `ssl_context`.

The files are read for each connection, so that certificates can be renewed without a restart. Each connection has a
deadline: gunicorn itself waits for ever for a client that falls silent within a handshake or a request.
"""

import math
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webhook.certificates.folder import current
from webhook.errors import MedeaError
from webhook.model.limits.server import SERVER_REQUEST, SERVER_SILENCE

AUTHORITY = "ca.crt"
_FILES = ("tls.crt", "tls.key")


class _Socket(ssl.SSLSocket):
    """Waits for SERVER_SILENCE where it would otherwise wait for ever, and reads one request within SERVER_REQUEST."""

    _until = math.inf

    def setblocking(self, flag: bool) -> None:
        """Called with True whenever a request is about to be read."""
        self._until = time.monotonic() + SERVER_REQUEST
        self.settimeout(SERVER_SILENCE if flag else 0.0)

    def give_time(self, *, silence: float, whole: float) -> None:
        """Bear with the client for the rest of this request, since it is known who it is. Both are in seconds."""
        self._until = time.monotonic() + whole
        self.settimeout(silence)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Raises TimeoutError too if a client sends its request in drops.

        This is how gunicorn reads. What an application reads later, by `recv_into`, has no such deadline.
        """
        if time.monotonic() > self._until:
            raise TimeoutError("the request took too long")
        return super().recv(buflen, flags)


class _Context(ssl.SSLContext):
    sslsocket_class = _Socket

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        # The handshake happens during the wrapping.
        sock.settimeout(SERVER_SILENCE)
        return super().wrap_socket(sock, *args, **options)


@dataclass(frozen=True)
class Tls:
    """Where a door's certificate is, and whose clients' certificates are checked.

    `setting` is the name of the setting that `folder` comes from. Without `clients`, which is a file of authorities,
    nobody is asked for a certificate. With it, a client may show one, and must if `required`; it is verified.
    """

    setting: str
    folder: Path
    clients: Path | None = None
    required: bool = False

    @property
    def certificate(self) -> Path:
        """The certificate, with its chain."""
        return self.folder / _FILES[0]

    @property
    def key(self) -> Path:
        """The certificate's key."""
        return self.folder / _FILES[1]

    def check(self) -> None:
        """Raises MedeaError if a file is missing."""
        missing = [name for name in _FILES if not (self.folder / name).is_file()]
        if missing:
            raise MedeaError(f"{self.setting} is {self.folder}, where {', '.join(missing)} is missing")
        if self.clients and not self.clients.is_file():
            raise MedeaError(f"the authority of clients' certificates is missing: there is no file {self.clients}")

    def context(self) -> ssl.SSLContext:
        """A new context, from the files as they are now."""
        context = _Context(ssl.PROTOCOL_TLS_SERVER)
        now = current(self.folder)
        context.load_cert_chain(now / self.certificate.name, now / self.key.name)
        if self.clients:
            context.load_verify_locations(self.clients)
            context.verify_mode = ssl.CERT_REQUIRED if self.required else ssl.CERT_OPTIONAL
        return context
