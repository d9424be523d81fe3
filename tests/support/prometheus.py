"""A Prometheus that answers as it is told, and remembers who asked for what."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

EMPTY = 200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}'


class Prometheus:
    """`answer` is a status and a body; `headers` are those of the last request."""

    def __init__(self) -> None:
        self.answer = EMPTY
        self.asked: list[str] = []
        self.headers = Message()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.asked.append(unquote_plus(self.path))
                told.headers = self.headers
                status, body = told.answer
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@contextmanager
def listening() -> Iterator[Prometheus]:
    """One that listens."""
    made = Prometheus()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
