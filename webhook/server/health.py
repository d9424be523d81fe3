"""`/metrics`, `/healthz` and `/readyz` of a process, on a port of their own."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from webhook.kube.threads import dead_threads
from webhook.model.limits.server import HEALTH_TIMEOUT

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def start_health_server(address: str, port: int, *, unready: Callable[[], str | None]) -> WSGIServer:
    """Serve in the background. `unready` returns why the process is not ready, or None if it is."""
    server = make_server(address, port, health_app(unready), _Server, _Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def health_app(unready: Callable[[], str | None], dead: Callable[[], list[str]] = dead_threads) -> Wsgi:
    """The WSGI application. `/healthz` fails once a thread has died, since nothing takes over its work."""
    metrics: Wsgi = make_wsgi_app()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/healthz":
                return _answer(start_response, f"dead threads: {', '.join(dead())}" if dead() else None)
            case "/readyz":
                return _answer(start_response, unready())
            case "/metrics":
                return metrics(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"here are /metrics, /healthz and /readyz\n"]

    return app


def _answer(start_response: Callable[..., Any], problem: str | None) -> Iterable[bytes]:
    start_response("503 Service Unavailable" if problem else "200 OK", [("Content-Type", "text/plain")])
    return [(problem or "ok").encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    # Of the socket: for this long a silent client may hold a thread.
    timeout = HEALTH_TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: probes come every few seconds."""
