"""An HTTP server that pods reach: it keeps artifacts, as Artifactory would, and answers HTTP templates."""

import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.lab.layout import STORE_PORTS, WEST

_GIVEN = b"#!/bin/sh\necho given, though not by google\n"
_STATUS = re.compile(r"/status/([0-9]{3})")


class _Server(ThreadingHTTPServer):
    # With the usual five a burst of pods on a slow machine is sent away.
    request_queue_size = 256


@contextmanager
def store() -> Iterator[str]:
    """The server's URL, as the pods of all clusters know it.

    `/kept/…` takes and gives, `/given/…` is always there, `/status/CODE` answers with that status.
    """
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            kept[self.path] = b"".join(self._chunks())
            self._answer(201, b"")

        def do_GET(self) -> None:
            if match := _STATUS.fullmatch(self.path):
                self._answer(int(match[1]), b"")
            elif self.path.startswith("/given/"):
                self._answer(200, _GIVEN)
            else:
                self._answer(200 if self.path in kept else 404, kept.get(self.path, b""))

        def _chunks(self) -> Iterator[bytes]:
            """The body, which Argo sends without saying how long it is."""
            while size := int(self.rfile.readline() or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Nothing: a thousand lines would hide the test's own."""

    with _at_a_free_port(Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{WEST.gateway}:{server.server_port}"
        server.shutdown()
        thread.join(10)


def _at_a_free_port(handler: type[BaseHTTPRequestHandler]) -> _Server:
    """Of those that pods reach; other tests have others."""
    for port in STORE_PORTS:
        with contextlib.suppress(OSError):
            return _Server((WEST.gateway, port), handler)
    raise AssertionError(f"all of the ports {STORE_PORTS} are in use")
