"""The scout's second eye: watches the quotas of every target at its own apiserver.

A watch knows of a change some milliseconds after it was made; Prometheus, after the next scrape. What is read when the
two watches of a target are not equally far is in `live_quota`.
"""

import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.registry import Registry
from webhook.model.limits.scout import LIVE_AFTER_CHANGE, LIVE_NAMESPACES, LIVE_REMADE, LIVE_SHARE, LIVE_TELL
from webhook.scout.eye import Namespaces
from webhook.scout.model import Snapshot
from webhook.scout.steady import steady_time
from webhook.scout.target_watch import TargetWatch

_THREAD = "quota-watch"


@dataclass(frozen=True)
class _Made:
    """The snapshots of a namespace, when they were made, how long that took, and after how many changes there."""

    at: float
    took: float
    changes: int
    snapshots: Mapping[str, Snapshot]


class QuotaWatch:
    """Watches all registered targets. Namespaces cost nothing until somebody asks about them."""

    def __init__(
        self,
        registry: Registry,
        *,
        max_age: float | None,
        clock: Callable[[], float] = steady_time,
        monotonic: Callable[[], float] = time.monotonic,
        begin: Callable[[Informer], None] = Informer.start,
    ) -> None:
        """Make this before the registry starts. `begin` is called to start an informer.

        `max_age` is after how many seconds without a watch what it said is too old; None leaves it to LIVE_AGE.
        """
        self._registry, self._max_age = registry, max_age
        self._clock, self._monotonic, self._begin = clock, monotonic, begin
        self._watches: dict[str, TargetWatch] = {}
        self._made: dict[str, _Made] = {}
        self._changes: Tally[str] = Tally()
        self._listeners: list[Callable[[], None]] = []
        self._news, self._stop = threading.Condition(), threading.Event()
        self._new = threading.Event()
        registry.on_change(self._on_target)

    def narrow_to(self, namespaces: Namespaces) -> None:
        """One watch sees all namespaces of a target: there is nothing to narrow."""

    def on_read(self, listener: Callable[[], None]) -> None:
        """Call `listener` soon after quotas or pods have changed. Call this before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Start telling listeners; the watches themselves start as targets are registered."""
        threads.start_loop(_THREAD, self._tell, stop=self._stop)

    def stop(self) -> None:
        """Stop everything."""
        self._stop.set()
        self._new.set()
        for watch in list(self._watches.values()):
            watch.stop()

    def of_namespace(self, namespace: str) -> Mapping[str, Snapshot]:
        """The snapshot of each target that has a quota for the namespace."""
        now, changes, made = self._clock(), self._changes[namespace], self._made.get(namespace)
        if made is not None:
            rest = LIVE_REMADE if made.changes == changes else LIVE_AFTER_CHANGE
            if 0 <= now - made.at < max(rest, made.took / LIVE_SHARE):
                return made.snapshots
        began = self._monotonic()
        found = {name: watch.snapshot(namespace, now) for name, watch in list(self._watches.items())}
        snapshots = {name: one for name, one in found.items() if one is not None}
        if len(self._made) >= LIVE_NAMESPACES:
            self._made.clear()
        self._made[namespace] = _Made(now, self._monotonic() - began, changes, snapshots)
        return snapshots

    def wait_for(self, namespace: str, seconds: float) -> bool:
        """Whether all targets have been listed within so many seconds; those that can't be are not waited for."""
        del namespace
        with self._news:
            return self._news.wait_for(self._is_complete, seconds)

    def sees(self, cluster: str) -> bool:
        """Whether what this target says of itself is known and good, so that no snapshot means no quota."""
        watch = self._watches.get(cluster)
        return watch is not None and watch.sees

    def blind(self, cluster: str) -> str | None:
        """Why the quotas of a target can't be watched."""
        watch = self._watches.get(cluster)
        if watch is None or watch.sees:
            return None
        return f"its quotas can't be watched: {watch.trouble or 'they have not been listed yet'}"

    def _is_complete(self) -> bool:
        watches = list(self._watches.values())
        return self._registry.wait(0) and all(watch.listed or watch.trouble for watch in watches)

    def _on_target(self, name: str, cluster: Cluster | None) -> None:
        old = self._watches.pop(name, None)
        if old:
            old.stop()
        if cluster:
            self._watches[name] = watch = TargetWatch(
                cluster, self._changed, max_age=self._max_age, monotonic=self._monotonic
            )
            for informer in watch.informers:
                self._begin(informer)
        # What was known of any namespace may have been this target's.
        self._made.clear()

    def _changed(self, namespace: str) -> None:
        with self._news:
            self._changes[namespace] += 1
            self._news.notify_all()
        # Whoever waits for room in a namespace has asked about it.
        if namespace in self._made:
            self._new.set()

    def _tell(self) -> None:
        """Tell the listeners of all changes so far, in such a way that they find them in the snapshots."""
        self._new.wait()
        self._stop.wait(LIVE_TELL)
        self._new.clear()
        for listener in self._listeners:
            with threads.isolated(_THREAD):
                listener()
