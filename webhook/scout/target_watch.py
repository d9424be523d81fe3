"""The watches of one target: its quotas, the pods that are charged to them, and its LimitRanges."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import LIMIT_RANGES, PODS, RESOURCE_QUOTAS
from webhook.model.limits.scout import LIVE_AGE
from webhook.model.objects import Object
from webhook.scout.live_quota import snapshot_of
from webhook.scout.model import Snapshot
from webhook.scout.quota_objects import PodUse, Quota, defaults_of, pod_use, quota_of, slim_pod
from webhook.totals.model import NO_DEFAULTS, Defaults

Changed = Callable[[str], None]
"""Called with a namespace in which something has changed."""
Value = TypeVar("Value")

# Pods that have ended are charged no more, and many targets keep thousands of them.
_LIVING = "status.phase!=Succeeded,status.phase!=Failed"


class _ByNamespace(Generic[Value]):
    """What is known of the objects of one kind, by namespace and uid. Written by one thread, read by any."""

    def __init__(self, read: Callable[[Object], Value | None], changed: Changed) -> None:
        self._read, self._changed = read, changed
        self._known: dict[str, dict[str, Value]] = {}
        self._lock = threading.Lock()

    def note(self, thing: Object, gone: bool) -> None:
        """Take note of a change."""
        metadata = thing["metadata"]
        namespace, uid = str(metadata.get("namespace") or ""), str(metadata["uid"])
        value = None if gone else self._read(thing)
        with self._lock:
            inside = self._known.setdefault(namespace, {})
            if value is None:
                inside.pop(uid, None)
            else:
                inside[uid] = value
            if not inside:
                del self._known[namespace]
        self._changed(namespace)

    def of(self, namespace: str) -> Mapping[str, Value]:
        """A copy of what is known, by uid."""
        with self._lock:
            return dict(self._known.get(namespace, {}))


class TargetWatch:
    """What one target says of itself. Its informers keep only what `live_quota` needs."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Changed,
        *,
        max_age: float | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`max_age` is in seconds; None leaves it to LIVE_AGE."""
        self._name, self._good_for = cluster.name, LIVE_AGE if max_age is None else max_age
        self._quotas: _ByNamespace[Quota] = _ByNamespace(quota_of, changed)
        self._pods: _ByNamespace[PodUse] = _ByNamespace(pod_use, changed)
        self._defaults: _ByNamespace[Defaults] = _ByNamespace(defaults_of, changed)
        self.informers = (
            Informer(cluster, RESOURCE_QUOTAS, self._quotas.note, clock=monotonic),
            Informer(cluster, PODS, self._pods.note, fields=_LIVING, keep=slim_pod, clock=monotonic),
            Informer(cluster, LIMIT_RANGES, self._defaults.note, clock=monotonic),
        )

    def stop(self) -> None:
        """Stop watching."""
        for informer in self.informers:
            informer.stop()

    @property
    def listed(self) -> bool:
        """Whether everything has been listed once: before that, the absence of a quota means nothing."""
        return all(informer.wait(0) for informer in self.informers)

    @property
    def sees(self) -> bool:
        """Whether what it says is good."""
        return self.listed and self._behind() <= self._good_for

    @property
    def trouble(self) -> str | None:
        """Why something can't be watched, in the words of the last failure; None if nothing is wrong."""
        return next((informer.trouble for informer in self.informers if informer.trouble), None)

    def snapshot(self, namespace: str, now: float) -> Snapshot | None:
        """What is known of a namespace at `now` (Unix seconds). None if no quota limits it, or none is known."""
        if not self.listed:
            return None
        defaults = NO_DEFAULTS
        for one in self._defaults.of(namespace).values():
            # With several LimitRanges, Kubernetes does not define which one it takes: count the largest.
            defaults = defaults.larger(one)
        return snapshot_of(
            self._name,
            namespace,
            quotas=self._quotas.of(namespace).values(),
            pods=self._pods.of(namespace),
            defaults=defaults,
            sampled_at=now - self._behind(),
            good_for=self._good_for,
        )

    def _behind(self) -> float:
        return max(informer.behind for informer in self.informers)
