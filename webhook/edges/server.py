"""The edges of one process over TLS: each under a path of its own, and open to who has their token."""

import hmac
import json
import socket
import ssl
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from webhook.edges.rest import Answer, Edge, Failure, Watch
from webhook.errors import BadRequest
from webhook.model.objects import Object

_LARGEST = 4 * 1024 * 1024
_SILENCE = 60.0
"""Seconds that a client may take for its next byte."""
_LOOK = 1.0
"""Seconds between two looks whether a watch is to end."""


class Server(ThreadingHTTPServer):
    """Serves `edges`, by their names. `longest_watch` is in seconds."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        edges: Mapping[str, Edge],
        *,
        token: str,
        certificate: Path,
        key: Path,
        longest_watch: float,
    ) -> None:
        self.edges, self.token, self.longest_watch = edges, token, longest_watch
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection; its handshake is made in its own thread."""
        connection, address = super().get_request()
        connection.settimeout(_SILENCE)
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients go in the middle of their watches."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except Failure as failure:
            answer = Answer(failure.code, failure.body)
        except BadRequest as error:
            answer = Answer(400, Failure(400, "BadRequest", error.message).body)
        if isinstance(answer, Answer):
            self._send(answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _answer(self) -> Answer | None:
        """The answer; None if a watch has been served."""
        body = self._body()
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            raise Failure(401, "Unauthorized", "Unauthorized")
        parts = urlsplit(self.path)
        name, _, rest = parts.path.removeprefix("/").partition("/")
        edge = self.server.edges.get(name)
        if edge is None:
            raise Failure(404, "NotFound", "there is no such edge")
        found = edge.answer(self.command, f"/{rest}", dict(parse_qsl(parts.query)), body)
        if isinstance(found, Watch):
            self._follow(edge, found)
            return None
        return found

    def _body(self) -> Object:
        text = self.headers.get("Content-Length") or "0"
        size = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else _LARGEST + 1
        if size > _LARGEST:
            self.close_connection = True
            raise Failure(413, "RequestEntityTooLarge", "the body is too large")
        data = self.rfile.read(size) if size else b"{}"
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Failure(400, "BadRequest", "the body is no JSON") from error
        if not isinstance(body, dict):
            raise Failure(400, "BadRequest", "the body is no object")
        return body

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _follow(self, edge: Edge, watch: Watch) -> None:
        longest = self.server.longest_watch
        seconds = longest if watch.seconds is None else min(longest, watch.seconds)
        version, until = watch.version, time.monotonic() + seconds
        first = edge.store.since(edge.name, watch.plural, version)
        if first is None:
            raise Failure(410, "Expired", "too old resource version")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        over = False
        while not over:
            with edge.store.news:
                news = edge.store.since(edge.name, watch.plural, version)
                if news == []:
                    edge.store.news.wait(min(_LOOK, max(0.0, until - time.monotonic())))
            over = time.monotonic() >= until
            if news is None:
                break
            if not news:
                continue
            for _, what, thing in news:
                if watch.wants(thing):
                    self._chunk({"type": what, "object": thing})
            version = news[-1][0]
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, event: Object) -> None:
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def log_message(self, *words: object) -> None:
        """Nothing."""
