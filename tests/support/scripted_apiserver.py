"""An apiserver that fails exactly as told: the one place where a real one would not do."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubernetes.client import Configuration

from certs.files import Files
from webhook.kube.client import Cluster

Answer = Callable[[BaseHTTPRequestHandler], None]


class Script:
    """Answers in order, one a request; the last one again and again. `requests` are the paths that were asked for."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._lock = threading.Lock()
        self.requests: list[str] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Give the next answer."""
        with self._lock:
            self.requests.append(f"{handler.command} {handler.path}")
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        answer(handler)


def reply(status: int, body: Any, *, date: str | None = None) -> Answer:
    """A whole answer; `date` is what it says about when it was sent, instead of the truth."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if date is None:
            handler.send_response(status)
        else:
            handler.send_response_only(status)
            handler.send_header("Date", date)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return give


def stream(*events: Any, then: Callable[[], object] = lambda: None) -> Answer:
    """A watch: these events, then `then`, then the end of the connection."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in events:
            data = json.dumps(event).encode() + b"\n"
            handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        handler.wfile.flush()
        then()
        handler.wfile.write(b"0\r\n\r\n")

    return give


def cut(handler: BaseHTTPRequestHandler) -> None:
    """The connection is closed without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def apiserver(script: Script, *, tls: Files | None = None) -> Iterator[Cluster]:
    """A client of an apiserver that follows the script, over TLS if there are certificates for it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                script.answer(self)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _any

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    configuration = Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        configuration.host = configuration.host.replace("http", "https", 1)
        configuration.ssl_ca_cert = str(tls.ca)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    cluster = Cluster("west", configuration)
    yield cluster
    cluster.close()
    server.shutdown()
    server.server_close()
