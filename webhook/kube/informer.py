"""A cache of objects that is kept current: it lists once, then watches, and lists again only if it can't resume.

`kubernetes.informer.SharedInformer` can't be used: it can't list custom resources, has no deadlines, and retries
without a pause while a cluster is away. Users may write malformed objects, so each object is handled separately: one
that can't be handled is logged and skipped, and does not affect the others.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from webhook.errors import ClusterUnavailable, Expired, MedeaError, Rejected, quoted
from webhook.kube import threads
from webhook.kube.client import Cluster, is_object
from webhook.kube.packed import Packed, pack
from webhook.kube.resources import Resource
from webhook.model.limits.kube import FAILED_STREAMS, SHORTEST_WATCH, WATCH_FIRST_PAUSE, WATCH_LONGEST_PAUSE
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
"""Called with an object and whether it is gone. Must return quickly: it runs in the informer's thread."""


def without_managed_fields(thing: Object) -> Object:
    """The object without managedFields, which are half of its size and not needed here."""
    thing["metadata"].pop("managedFields", None)
    return thing


def named_and_labelled(thing: Object) -> Object:
    """Of an object no more than what it is called, and its labels."""
    kept = ("name", "namespace", "uid", "resourceVersion", "labels")
    return {"metadata": {key: value for key, value in thing["metadata"].items() if key in kept}}


class Informer:
    """The objects of a kind on one cluster, in memory: of one namespace, or of all if None; or the one `name` only."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Resource,
        listener: Listener,
        *,
        selector: str = "",
        fields: str = "",
        namespace: str | None = None,
        name: str | None = None,
        shown_as: str | None = None,
        most: float = math.inf,
        keep: Callable[[Object], Object] = without_managed_fields,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`selector` and `fields` are Kubernetes' label and field selectors.

        `shown_as` is the kind in metrics, for one of several informers of a kind. `most` is how many objects are kept:
        while there are so many, new ones are left out.

        `keep` reduces an object to what stays in memory: at least its name, namespace, uid and resourceVersion.
        """
        self._cluster, self._kind, self._namespace = cluster, kind, namespace
        # RBAC can allow to list and watch a single object, and takes this selector for its name.
        self._selector, self._fields = selector, f"metadata.name={name}" if name else fields
        self._listener, self._keep, self._clock, self._most = listener, keep, clock, most
        watched = shown_as or (f"{kind.plural}/{name}" if name else kind.plural)
        self._labels = (cluster.name, watched)
        self._name = f"watch-{cluster.name}-{watched}"
        self._objects: dict[Key, Packed] = {}
        self._version: str | None = None
        """The version to resume watching from; None if a list is needed."""
        self._pause = WATCH_FIRST_PAUSE
        self._failed_streams = 0
        self._lost_before = False
        self._heard = -math.inf
        self._trouble: str | None = None
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._current = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Start, in a thread of its own."""
        threads.start_loop(self._name, self._turn, stop=self._stop)

    def stop(self) -> None:
        """Stop, and remove the metrics. The thread ends with the next event or at the end of the stream."""
        with self._lock:
            self._stop.set()
            for metric in (_UP, _RESTARTS, _PASSED_OVER):
                metric.remove(*self._labels)
        self._current.clear()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the listener has been called for all of the first list; whether it was."""
        return self._synced.wait(timeout)

    @property
    def current(self) -> bool:
        """Whether the watch is running now, so that the cache is up to date except for the last moments."""
        return self._current.is_set()

    @property
    def behind(self) -> float:
        """For how many seconds nothing has been heard of a watch that broke; 0 while it is current."""
        return 0.0 if self.current else self._clock() - self._heard

    @property
    def trouble(self) -> str | None:
        """The words of the failure because of which the watch is not current; None if it is, or has not begun."""
        return self._trouble

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last seen; None if it does not exist."""
        found = self._objects.get((namespace, name))
        return found.unpacked() if found else None

    def names(self) -> list[Key]:
        """Namespace and name of each object as last seen."""
        with self._lock:
            return list(self._objects)

    def all(self) -> list[Object]:
        """All objects as last seen."""
        with self._lock:
            found = list(self._objects.values())
        return [one.unpacked() for one in found]

    def step(self) -> float:
        """List once, or follow one stream to its end. Returns how many seconds to wait before the next step."""
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
            # One warning per outage: every attempt would log the same.
            tell = log.debug if self._lost_before else log.warning
            tell("watch lost", cluster=self._cluster.name, kind=self._kind.plural, reason=error.message)
            self._lost_before, self._trouble = True, error.message
            # If the cluster answers but refuses to watch, another version may work.
            self._failed_streams += "answered" in error.details or isinstance(error, Rejected)
            if isinstance(error, Expired) or self._failed_streams >= FAILED_STREAMS:
                self._version, self._failed_streams = None, 0
            return self._lost()

    def _list(self) -> None:
        version, fresh = "", dict[Key, Packed]()
        pages = self._cluster.pages(self._kind, self._namespace, selector=self._selector, fields=self._fields)
        for page, version in pages:  # noqa: B007
            for item in page:
                kept = self._kept(item)
                if kept is not None and len(fresh) < self._most:
                    fresh[_key(kept)] = pack(kept)
        with self._lock:
            before, self._objects = self._objects, fresh
        lost = [one for key, one in before.items() if key not in fresh or fresh[key].uid != one.uid]
        self._tell((one.unpacked(), True) for one in lost)
        self._tell((one.unpacked(), False) for key, one in fresh.items() if not _same(before.get(key), one))
        self._version = version
        self._synced.set()
        self._report(up=True)

    def _follow(self, version: str) -> float:
        """Follow one stream. Counted as a failed one until its first event: that it could be opened proves nothing."""
        began, told = self._clock(), False
        events = self._cluster.watch(
            self._kind,
            self._namespace,
            selector=self._selector,
            fields=self._fields,
            version=version,
            stop=self._stop,
        )
        self._report(up=True)
        self._failed_streams += 1
        for event in events:
            if self._stop.is_set():
                return 0.0
            self._heard = self._clock()
            if self._hear(event):
                self._pause, self._failed_streams, told = WATCH_FIRST_PAUSE, 0, True
        if not told and self._clock() - began < SHORTEST_WATCH:
            return self._next_pause()
        self._pause, self._failed_streams = WATCH_FIRST_PAUSE, 0
        return 0.0

    def _hear(self, event: Any) -> bool:
        """Handle one event; whether it was valid. Raises Expired or ClusterUnavailable if it ends the stream."""
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
        packed = pack(kept)
        with self._lock:
            before = self._objects.pop(_key(kept), None)
            left_out = not gone and before is None and len(self._objects) >= self._most
            if not gone and not left_out:
                self._objects[_key(kept)] = packed
        if gone or not (left_out or _same(before, packed)):
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
        # Log only the name: it may be a Secret.
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
                self._heard = self._clock()
                self._current.set()
                self._lost_before, self._trouble = False, None
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


def _same(before: Packed | None, now: Packed) -> bool:
    """Whether both are the same version of the same object."""
    return before is not None and now.version is not None and (before.uid, before.version) == (now.uid, now.version)
