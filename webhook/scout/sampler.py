"""Reads Prometheus in the background and keeps the latest snapshots in memory."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from prometheus_client import Counter, Gauge, Histogram
from requests import RequestException
from urllib3.util.retry import Retry

from webhook.errors import SamplesUnavailable, quoted
from webhook.kube import threads
from webhook.model.limits.scout import (
    SAMPLE_ASKED,
    SAMPLE_BYTES,
    SAMPLE_DEADLINE,
    SAMPLE_KEPT,
    SAMPLE_READ_TIMEOUT,
    SAMPLE_SHARE,
    SAMPLE_SOONEST,
)
from webhook.scout.bounded_session import BoundedSession
from webhook.scout.eye import Namespaces
from webhook.scout.model import Snapshot
from webhook.scout.prometheus_access import OPEN, Access
from webhook.scout.promql import CLUSTER_LABEL, query, snapshots
from webhook.scout.sample_age import SampleAges
from webhook.scout.steady import steady_time

log = structlog.get_logger(__name__)
_READS = Counter("medea_scout_reads_total", "Reads of Prometheus", ["outcome"])
_SECONDS = Histogram("medea_scout_read_seconds", "Time of one read of Prometheus, working it out included")
_NEWEST = Gauge("medea_scout_newest_sample_time_seconds", "Unix time of the newest sample known", ["cluster"])

_THREAD = "scout-sampler"

# What parsing raises if the answer is not one of Prometheus.
_STRANGE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


class Sampler:
    """Keeps the latest snapshots. One thread reads Prometheus; any thread may ask, and never waits."""

    def __init__(
        self,
        *,
        url: str,
        interval: float,
        max_age: float | None = None,
        access: Access = OPEN,
        label: str = CLUSTER_LABEL,
        clock: Callable[[], float] = steady_time,
    ) -> None:
        """Both in seconds: `interval`, and `max_age`, for which a sample is good. None has it follow from the samples.

        `label` is the name of the label with the target's name.
        """
        session = BoundedSession(seconds=SAMPLE_DEADLINE, size=SAMPLE_BYTES)
        access.open(session)
        self._prometheus = PrometheusConnect(
            url=url.rstrip("/"), timeout=SAMPLE_READ_TIMEOUT, retry=Retry(0), session=session, auth=session.auth
        )
        self._interval, self._label, self._clock = interval, label, clock
        self._ages = SampleAges(max_age)
        self._namespaces: Namespaces = lambda: None
        self._names: frozenset[str] | None = None
        self._asked_for: dict[str, float] = {}
        self._read_for: frozenset[str] | None = None
        self._known: Mapping[str, Mapping[str, Snapshot]] = {}
        self._listeners: list[Callable[[], None]] = []
        self._lock, self._news = threading.Lock(), threading.Condition()
        self._stop, self._wake = threading.Event(), threading.Event()

    def narrow_to(self, namespaces: Namespaces) -> None:
        """Read only these namespaces, and others that somebody asks about. Call this before `start`."""
        self._namespaces = namespaces

    def on_read(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every successful read."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Read at once, and then every `interval` seconds until `stop`."""
        threads.start(_THREAD, self._run)

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._wake.set()

    def of_namespace(self, namespace: str) -> Mapping[str, Snapshot]:
        """The latest snapshot of each target for one namespace: the same object until the next read."""
        if self._names is not None and namespace not in self._names:
            self._note_asked(namespace)
        return self._known.get(namespace, {})

    def covers(self, namespace: str) -> bool:
        """Whether the last read included this namespace. If not, the absence of snapshots means nothing."""
        return self._read_for is None or namespace in self._read_for

    def blind(self, cluster: str) -> str | None:
        """None: Prometheus does not tell which targets it knows nothing of."""
        del cluster
        return None

    def wait_for(self, namespace: str, seconds: float) -> bool:
        """Whether a read has included this namespace within so many seconds; it is read soon if none has."""
        if not self.covers(namespace):
            self.of_namespace(namespace)
        with self._news:
            return self._news.wait_for(lambda: self.covers(namespace), seconds)

    def _note_asked(self, namespace: str) -> None:
        with self._lock:
            self._asked_for.pop(namespace, None)
            self._asked_for[namespace] = self._clock()
            if len(self._asked_for) > SAMPLE_ASKED:
                del self._asked_for[next(iter(self._asked_for))]
        if not self.covers(namespace):
            self._wake.set()

    def read(self) -> None:
        """Ask Prometheus once. Raises SamplesUnavailable; earlier snapshots are kept, and age."""
        try:
            wanted, asked_at = self._wanted(), self._clock()
            series: Any = self._prometheus.custom_query(query(wanted, self._label))
            fresh = snapshots(series, self._label, asked_at=asked_at, took=self._clock() - asked_at)
        except (RequestException, PrometheusApiClientException, *_STRANGE) as error:
            _READS.labels("failed").inc()
            raise SamplesUnavailable(f"Prometheus did not answer: {quoted(str(error))}") from error
        _READS.labels("ok").inc()
        self._note(fresh)
        with self._news:
            self._read_for = wanted
            self._news.notify_all()
        for listener in self._listeners:
            with threads.isolated(_THREAD):
                listener()

    def _wanted(self) -> frozenset[str] | None:
        """The namespaces of interest, and those that somebody has asked about lately; None means all."""
        fresh, oldest = self._namespaces(), self._clock() - SAMPLE_KEPT
        self._names = names = self._names if fresh is None else frozenset(fresh)
        with self._lock:
            self._asked_for = {name: asked for name, asked in self._asked_for.items() if asked > oldest}
            return None if names is None else names | self._asked_for.keys()

    def _note(self, fresh: Mapping[tuple[str, str], Snapshot]) -> None:
        """Store the new snapshots; those that Prometheus no longer shows are kept for SAMPLE_KEPT."""
        now = self._clock()
        known: dict[str, dict[str, Snapshot]] = {}
        for of_one in self._known.values():
            for old in of_one.values():
                if old.sampled_at > now - SAMPLE_KEPT:
                    known.setdefault(old.namespace, {})[old.cluster] = old
        newest: dict[str, Snapshot] = {}
        for new in fresh.values():
            best = newest.get(new.cluster)
            newest[new.cluster] = new if best is None or new.sampled_at > best.sampled_at else best
        for cluster, sample in newest.items():
            self._ages.note(cluster, sample.sampled_at, sample.slack)
            _NEWEST.labels(cluster).set(sample.sampled_at)
        for new in fresh.values():
            good_for = self._ages.good_for(new.cluster)
            known.setdefault(new.namespace, {})[new.cluster] = replace(new, good_for=good_for)
        self._known = known

    def turn(self) -> tuple[float, float]:
        """Read once, without raising; returns the least and the most seconds to pause after it.

        The longer an answer takes, in Prometheus or here, the less often it is asked for: this process has other work.
        """
        started = time.monotonic()
        with threads.isolated(_THREAD):
            try:
                self.read()
            except SamplesUnavailable as error:
                log.warning("samples unavailable", reason=error.message)
        took = time.monotonic() - started
        _SECONDS.observe(took)
        rest = max(SAMPLE_SOONEST, took * (1 / SAMPLE_SHARE - 1))
        return rest, max(self._interval, rest)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            least, most = self.turn()
            self._stop.wait(least)
            # Cut short when somebody asks about a namespace that has not been read yet.
            self._wake.wait(most - least)
