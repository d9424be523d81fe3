"""Reads Prometheus in the background and keeps the latest snapshots in memory."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from prometheus_client import Counter, Gauge
from requests import RequestException
from urllib3.util.retry import Retry

from webhook.errors import SamplesUnavailable, quoted
from webhook.scout.model import Snapshot
from webhook.scout.promql import QUERY, snapshots

log = structlog.get_logger(__name__)
_READS = Counter("medea_scout_reads_total", "Reads of Prometheus", ["outcome"])
_NEWEST = Gauge("medea_scout_newest_sample_time_seconds", "Unix time of the newest sample known", ["cluster"])

# A snapshot that Prometheus no longer shows stays known for an hour: old samples exclude a target with a reason that
# people understand, and its whole quota still tells what could never fit.
_KEPT = 3600.0


class Sampler:
    """The scout's eyes. One thread reads; any thread may look."""

    def __init__(self, *, url: str, interval: float, clock: Callable[[], float] = time.time) -> None:
        self._prometheus = PrometheusConnect(url=url.rstrip("/"), timeout=5, retry=Retry(0))
        self._interval = interval
        self._clock = clock
        self._known: Mapping[tuple[str, str], Snapshot] = {}
        self._listeners: list[Callable[[], None]] = []
        self._stop = threading.Event()

    def on_read(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every successful read."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Read now and then every `interval` seconds, until `stop`."""
        threading.Thread(target=self._run, name="scout-sampler", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.set()

    def of_namespace(self, namespace: str) -> dict[str, Snapshot]:
        """The latest snapshot of each target for one namespace."""
        return {cluster: snapshot for (cluster, name), snapshot in self._known.items() if name == namespace}

    def read(self) -> None:
        """Ask Prometheus once. Raises SamplesUnavailable; what was known stays known, and ages."""
        try:
            series: list[dict[str, Any]] = self._prometheus.custom_query(QUERY)
            fresh = snapshots(series)
        except (RequestException, PrometheusApiClientException, KeyError, ValueError) as error:
            _READS.labels("failed").inc()
            raise SamplesUnavailable(f"Prometheus did not answer: {quoted(str(error))}") from error
        _READS.labels("ok").inc()
        oldest = self._clock() - _KEPT
        kept = {place: snapshot for place, snapshot in self._known.items() if snapshot.sampled_at > oldest}
        self._known = {**kept, **fresh}
        for snapshot in fresh.values():
            _NEWEST.labels(snapshot.cluster).set(snapshot.sampled_at)
        for listener in self._listeners:
            listener()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.read()
            except SamplesUnavailable as error:
                log.warning("samples unavailable", reason=error.message)
            self._stop.wait(self._interval)
