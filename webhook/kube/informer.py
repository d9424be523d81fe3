"""A list kept current: list once, watch on, list again after any loss.

`kubernetes.informer.SharedInformer` does not serve here: it cannot list custom resources, keeps no deadline, and goes
round without a pause while a cluster is away.
"""

import random
import threading
from collections.abc import Callable

import structlog
from prometheus_client import Counter, Gauge

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import Resource
from webhook.model.objects import Object

log = structlog.get_logger(__name__)
_RESTARTS = Counter("medea_watch_restarts_total", "Watches that ended with an error", ["cluster", "kind"])
_UP = Gauge("medea_watch_up", "1 while a watch is current", ["cluster", "kind"])

Key = tuple[str, str]
"""Namespace and name."""
Listener = Callable[[Object, bool], None]
"""Called with an object and whether it is gone. It must only take note: it runs in the watch's own thread."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


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
        keep: Callable[[Object], Object] = lambda thing: thing,
    ) -> None:
        """`keep` makes of an object what is kept of it: `metadata` must stay, with its name, namespace and uid."""
        self._cluster, self._kind, self._selector, self._namespace = cluster, kind, selector, namespace
        self._listener, self._keep = listener, keep
        self._objects: dict[Key, Object] = {}
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._current = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        name = f"watch-{self._cluster.name}-{self._kind.plural}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def stop(self) -> None:
        """End; the thread notices with the next event, or when the server ends the stream."""
        self._stop.set()
        _UP.labels(self._cluster.name, self._kind.plural).set(0)

    def wait(self, timeout: float) -> bool:
        """Whether the first list has arrived within `timeout` seconds."""
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

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                version = self._list()
                pause = _FIRST_PAUSE
                while not self._stop.is_set():
                    version = self._follow(version)
            except MedeaError as error:
                _RESTARTS.labels(self._cluster.name, self._kind.plural).inc()
                log.warning("watch lost", cluster=self._cluster.name, kind=self._kind.plural, reason=error.message)
            except Exception:
                # A watch that ended for good would leave everybody with what it last knew, and nobody would notice.
                log.exception("bug", cluster=self._cluster.name, kind=self._kind.plural)
            finally:
                self._current.clear()
                _UP.labels(self._cluster.name, self._kind.plural).set(0)
            self._stop.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _list(self) -> str:
        listed, version = self._cluster.list(self._kind, self._namespace, selector=self._selector)
        items = [self._keep(item) for item in listed]
        fresh = {_key(item): item for item in items}
        with self._lock:
            before, self._objects = self._objects, fresh
        self._synced.set()
        self._current.set()
        _UP.labels(self._cluster.name, self._kind.plural).set(1)
        for key, item in before.items():
            if key not in fresh or _uid(fresh[key]) != _uid(item):
                self._listener(item, True)
        for item in items:
            self._listener(item, False)
        return version

    def _follow(self, version: str) -> str:
        """Follow one stream to its end; returns the version to go on from. Raises when a new list is needed."""
        events = self._cluster.watch(
            self._kind, self._namespace, selector=self._selector, version=version, stop=self._stop
        )
        for event in events:
            thing, what = event["object"], event["type"]
            if what == "ERROR":
                raise MedeaError(f"the apiserver ended the watch: {thing.get('message')}")
            version = thing["metadata"]["resourceVersion"]
            if what != "BOOKMARK":
                self._note(self._keep(thing), what == "DELETED")
        return version

    def _note(self, thing: Object, gone: bool) -> None:
        with self._lock:
            if gone:
                self._objects.pop(_key(thing), None)
            else:
                self._objects[_key(thing)] = thing
        self._listener(thing, gone)


def _key(thing: Object) -> Key:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def _uid(thing: Object) -> str:
    return str(thing["metadata"]["uid"])
