"""What the scout knows when Prometheus answers, and when it doesn't."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from webhook.errors import SamplesUnavailable
from webhook.scout.sampler import Sampler

_LABELS = {"cluster": "west", "namespace": "ns", "resourcequota": "q", "resource": "limits.cpu"}


def answer(used: str, at: float) -> tuple[int, bytes]:
    """Prometheus' answer for one quota of ten cores."""
    series = [
        {"metric": {**_LABELS, "fact": "hard"}, "value": [at, "10"]},
        {"metric": {**_LABELS, "fact": "used"}, "value": [at, used]},
        {"metric": {"cluster": "west", "namespace": "ns", "fact": "time"}, "value": [at, str(at)]},
    ]
    return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode()


class Prometheus:
    """Answers as it is told."""

    def __init__(self) -> None:
        self.answer = answer("2", 1000.0)
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = told.answer
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    """One that listens."""
    made = Prometheus()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_read_is_known_by_namespace_and_tells_its_listeners(prometheus: Prometheus) -> None:
    sampler, told = Sampler(url=prometheus.url, interval=60, clock=lambda: 1000.0), list[bool]()
    sampler.on_read(lambda: told.append(True))
    sampler.read()
    assert sampler.of_namespace("ns")["west"].used.cpu_milli == 2000
    assert sampler.of_namespace("other") == {}
    assert told == [True]


@pytest.mark.parametrize(
    "broken", [(503, b"starting"), (200, b"<html>"), (200, b"{}"), (200, b'{"data": {"result": [{"metric": {}}]}}')]
)
def test_what_was_known_stays_known_and_ages_when_prometheus_fails(
    prometheus: Prometheus, broken: tuple[int, bytes]
) -> None:
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: 1000.0)
    sampler.read()
    prometheus.answer = broken
    with pytest.raises(SamplesUnavailable):
        sampler.read()
    assert sampler.of_namespace("ns")["west"].sampled_at == 1000.0


def test_a_target_that_prometheus_no_longer_shows_is_forgotten_only_after_an_hour(prometheus: Prometheus) -> None:
    now = [1000.0]
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: now[0])
    sampler.read()
    prometheus.answer = (200, b'{"data": {"result": []}}')
    now[0] += 3500
    sampler.read()
    assert "west" in sampler.of_namespace("ns")
    now[0] += 200
    sampler.read()
    assert sampler.of_namespace("ns") == {}


def test_a_prometheus_that_does_not_listen_is_said_to_be_away() -> None:
    with pytest.raises(SamplesUnavailable, match="did not answer"):
        Sampler(url="http://127.0.0.1:1", interval=60).read()
