"""A list kept current: list once, watch on, and after a loss go on from where it was; list again only where that fails.

`kubernetes.informer.SharedInformer` does not serve here: it cannot list custom resources, keeps no deadline, and goes
round without a pause while a cluster is away. What an object holds is up to whoever may write it, so each is taken by
itself: one that Medea can't make sense of is logged and passed over, and costs nobody else anything.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from webhook import threads
from webhook.errors import ClusterUnavailable, Expired, MedeaError, Rejected, quoted
from webhook.kube.client import Cluster, is_object
from webhook.kube.resources import Resource
from webhook.model.limits import FAILED_STREAMS, SHORTEST_WATCH, WATCH_FIRST_PAUSE, WATCH_LONGEST_PAUSE
from webhook.model.objects import Object

log = structlog.get_logger(__name__)
_RESTARTS = Counter("medea_watch_restarts_total", "Watches that ended with an error", ["cluster", "kind"])
_PASSED_OVER = Counter(
    "medea_watch_objects_passed_over_total", "Objects that Medea could not make sense of", ["cluster", "kind"]
)
_UP = Gauge("medea_watch_up", "1 while a watch is current", ["cluster", "kind"])

Key = tuple[str, str]
"""Namespace and name."""
Listener = Callable[[Object, bool], None]
"""Called with an object and whether it is gone. It must only take note: it runs in the watch's own thread."""


def without_managed_fields(thing: Object) -> Object:
    """An object without the notes about who wrote which field: half of its size, and nobody reads them here."""
    thing["metadata"].pop("managedFields", None)
    return thing


class Informer:
    """The objects of one kind on one cluster, in memory: those of one namespace, or of all."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Resource,
        listener: Listener,
        *,
        selector: str = "",
        namespace: str | None = None,
        keep: Callable[[Object], Object] = without_managed_fields,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` makes of an object what is kept of it: its name, namespace, uid and resourceVersion must stay."""
        self._cluster, self._kind, self._selector, self._namespace = cluster, kind, selector, namespace
        self._listener, self._keep, self._clock = listener, keep, clock
        self._labels = (cluster.name, kind.plural)
        self._name = f"watch-{cluster.name}-{kind.plural}"
        self._objects: dict[Key, Object] = {}
        self._version: str | None = None
        """Where to go on from; None where a list is needed."""
        self._pause = WATCH_FIRST_PAUSE
        self._failed_streams = 0
        self._lost_before = False
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._current = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threads.start_loop(self._name, self._turn, stop=self._stop)

    def stop(self) -> None:
        """End, and vanish from the metrics; the thread notices with the next event, or at the end of the stream."""
        with self._lock:
            self._stop.set()
            for metric in (_UP, _RESTARTS, _PASSED_OVER):
                metric.remove(*self._labels)
        self._current.clear()

    def wait(self, timeout: float) -> bool:
        """Whether within `timeout` seconds the first list has arrived, and the listener has been told of all of it."""
        return self._synced.wait(timeout)

    @property
    def current(self) -> bool:
        """Whether the watch runs now: what it knows is true but for the last moments."""
        return self._current.is_set()

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last seen."""
        return self._objects.get((namespace, name))

    def all(self) -> list[Object]:
        """All objects as last seen."""
        with self._lock:
            return list(self._objects.values())

    def step(self) -> float:
        """List, or follow one stream to its end. Returns how many seconds to wait before the next step."""
        with threads.isolated(self._name):
            return self._advance()
        self._version = None
        return self._lost()

    def _turn(self) -> None:
        self._stop.wait(self.step())

    def _advance(self) -> float:
        try:
            if self._version is None:
                self._list()
                return 0.0
            return self._follow(self._version)
        except MedeaError as error:
            # One line for an outage, however long: each try would say the same.
            tell = log.debug if self._lost_before else log.warning
            tell("watch lost", cluster=self._cluster.name, kind=self._kind.plural, reason=error.message)
            self._lost_before = True
            # A cluster that answers but lets nobody watch from here may do so from another version.
            self._failed_streams += "answered" in error.details or isinstance(error, Rejected)
            if isinstance(error, Expired) or self._failed_streams >= FAILED_STREAMS:
                self._version, self._failed_streams = None, 0
            return self._lost()

    def _list(self) -> None:
        version, fresh = "", dict[Key, Object]()
        for page, version in self._cluster.pages(self._kind, self._namespace, selector=self._selector):  # noqa: B007
            for item in page:
                kept = self._kept(item)
                if kept is not None:
                    fresh[_key(kept)] = kept
        with self._lock:
            before, self._objects = self._objects, fresh
        self._tell((item, True) for key, item in before.items() if key not in fresh or _uid(fresh[key]) != _uid(item))
        self._tell((item, False) for key, item in fresh.items() if not _same(before.get(key), item))
        self._version = version
        self._synced.set()
        self._report(up=True)

    def _follow(self, version: str) -> float:
        """Follow one stream. Only what it tells shows that watching works; that it could be begun does not."""
        began, told = self._clock(), False
        events = self._cluster.watch(
            self._kind, self._namespace, selector=self._selector, version=version, stop=self._stop
        )
        self._report(up=True)
        self._failed_streams += 1
        for event in events:
            if self._stop.is_set():
                return 0.0
            if self._hear(event):
                self._pause, self._failed_streams, told = WATCH_FIRST_PAUSE, 0, True
        if not told and self._clock() - began < SHORTEST_WATCH:
            return self._next_pause()
        self._pause, self._failed_streams = WATCH_FIRST_PAUSE, 0
        return 0.0

    def _hear(self, event: Any) -> bool:
        """Take in one event; whether it said something. Raises Expired, or ClusterUnavailable, for the stream's end."""
        what, thing = (event.get("type"), event.get("object")) if isinstance(event, dict) else (None, None)
        if not isinstance(thing, dict):
            self._pass_over(event)
            return False
        if what == "ERROR":
            kind = Expired if thing.get("code") == 410 else ClusterUnavailable
            raise kind(f"the apiserver ended the watch: {quoted(thing.get('message'))}")
        if what != "BOOKMARK":
            self._note(thing, gone=what == "DELETED")
        metadata = thing.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str) and version:
            self._version = version
        return True

    def _note(self, thing: Object, *, gone: bool) -> None:
        kept = self._kept(thing)
        if kept is None:
            return
        with self._lock:
            before = self._objects.pop(_key(kept), None)
            if not gone:
                self._objects[_key(kept)] = kept
        if gone or not _same(before, kept):
            self._tell([(kept, gone)])

    def _kept(self, thing: Any) -> Object | None:
        with threads.isolated(self._name):
            if is_object(thing):
                return self._keep(thing)
        self._pass_over(thing)
        return None

    def _tell(self, news: Iterable[tuple[Object, bool]]) -> None:
        for thing, gone in news:
            with threads.isolated(self._name):
                self._listener(thing, gone)
                continue
            self._pass_over(thing)

    def _pass_over(self, thing: Any) -> None:
        # Nothing else of it is shown: it may be a Secret.
        name = "/".join(_key(thing)) if is_object(thing) else type(thing).__name__
        log.error("object passed over", cluster=self._cluster.name, kind=self._kind.plural, object=name)
        with self._lock:
            if not self._stop.is_set():
                _PASSED_OVER.labels(*self._labels).inc()

    def _report(self, *, up: bool) -> None:
        with self._lock:
            if self._stop.is_set():
                return
            _UP.labels(*self._labels).set(up)
            if up:
                self._current.set()
                self._lost_before = False
            else:
                _RESTARTS.labels(*self._labels).inc()
                self._current.clear()

    def _lost(self) -> float:
        self._report(up=False)
        return self._next_pause()

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, WATCH_LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.0)


def _key(thing: Object) -> Key:
    return str(thing["metadata"].get("namespace") or ""), str(thing["metadata"]["name"])


def _uid(thing: Object) -> str:
    return str(thing["metadata"].get("uid"))


def _same(before: Object | None, now: Object) -> bool:
    """Whether it is known in this very version."""
    version = now["metadata"].get("resourceVersion")
    return (
        before is not None
        and version is not None
        and (_uid(before), before["metadata"].get("resourceVersion")) == (_uid(now), version)
    )
