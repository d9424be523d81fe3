"""The laboratory's Prometheus, for tests: queries, alerts, and series of a test's own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.lab.layout import PROMETHEUS
from tests.lab.monitoring import EXTRA, RULES

_TIMEOUT = 60


def query(text: str) -> list[dict[str, Any]]:
    """The series that PromQL selects. An error of Prometheus is raised."""
    answer = requests.get(f"http://{PROMETHEUS}/api/v1/query", params={"query": text}, timeout=_TIMEOUT)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def firing(alert: str) -> bool:
    """Whether an alert of this name fires."""
    return bool(query(f'ALERTS{{alertname="{alert}", alertstate="firing"}}'))


@contextmanager
def rules(text: str) -> Iterator[None]:
    """Rules that are evaluated for as long as the block runs."""
    RULES.mkdir(parents=True, exist_ok=True)
    file = RULES / "test.yaml"
    file.write_text(text)
    _reload()
    try:
        yield
    finally:
        file.unlink()
        _reload()


class Series:
    """Metrics of a test's own, as Prometheus reads them."""

    def __init__(self) -> None:
        self.text = ""


@contextmanager
def scraped() -> Iterator[Series]:
    """Metrics that Prometheus reads from this test."""
    series = Series()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(series.text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    EXTRA.mkdir(parents=True, exist_ok=True)
    file = EXTRA / "test.json"
    file.write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_port}"]}]))
    _reload()
    try:
        yield series
    finally:
        file.unlink()
        _reload()
        server.shutdown()
        server.server_close()


def _reload() -> None:
    requests.post(f"http://{PROMETHEUS}/-/reload", timeout=_TIMEOUT).raise_for_status()
