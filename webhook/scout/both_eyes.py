"""Prometheus first, and the targets' apiservers where it has nothing to say, or is wrong."""

from collections.abc import Callable, Mapping
from typing import Protocol

from prometheus_client import Counter

from webhook.model.limits.scout import LIVE_NAMESPACES
from webhook.scout.eye import Eye, Namespaces
from webhook.scout.model import Snapshot
from webhook.scout.steady import steady_time

_CHOSEN = Counter(
    "medea_scout_snapshots_total",
    "Snapshots used, by the eye they come from and why",
    ["source", "why"],
)


class SelfSeeing(Eye, Protocol):
    """The eye that watches the targets themselves."""

    def sees(self, cluster: str) -> bool:
        """Whether what this target says of itself is known and good, so that no snapshot means no quota."""


class BothEyes:
    """One eye made of two."""

    def __init__(self, prometheus: Eye, watch: SelfSeeing, *, clock: Callable[[], float] = steady_time) -> None:
        self._prometheus, self._watch, self._clock = prometheus, watch, clock
        self._chosen: dict[str, Mapping[str, Snapshot]] = {}

    def narrow_to(self, namespaces: Namespaces) -> None:
        """Look only at these namespaces, and others that somebody asks about. Call this before `start`."""
        self._prometheus.narrow_to(namespaces)
        self._watch.narrow_to(namespaces)

    def on_read(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever either of them may see something new."""
        self._prometheus.on_read(listener)
        self._watch.on_read(listener)

    def start(self) -> None:
        """Start both."""
        self._prometheus.start()
        self._watch.start()

    def stop(self) -> None:
        """Stop both."""
        self._prometheus.stop()
        self._watch.stop()

    def of_namespace(self, namespace: str) -> Mapping[str, Snapshot]:
        """The snapshot of each target that is to be believed: the same object until one of them changes."""
        samples, live = self._prometheus.of_namespace(namespace), self._watch.of_namespace(namespace)
        now, found, why = self._clock(), dict[str, Snapshot](), dict[str, str]()
        for cluster in samples.keys() | live.keys():
            one, why[cluster] = chosen(samples.get(cluster), live.get(cluster), sees=self._watch.sees(cluster), now=now)
            if one is not None:
                found[cluster] = one
        before = self._chosen.get(namespace)
        if before is not None and before.keys() == found.keys() and all(before[name] is found[name] for name in found):
            return before
        for cluster, one in found.items():
            _CHOSEN.labels(one.source, why[cluster]).inc()
        if len(self._chosen) >= LIVE_NAMESPACES:
            self._chosen.clear()
        self._chosen[namespace] = found
        return found

    def wait_for(self, namespace: str, seconds: float) -> bool:
        """Whether either of them has looked at the namespace within so many seconds."""
        return self._watch.wait_for(namespace, seconds) or self._prometheus.wait_for(namespace, 0)

    def blind(self, cluster: str) -> str | None:
        """Why a target that Prometheus does not show can't be watched."""
        return self._watch.blind(cluster)


def chosen(sample: Snapshot | None, live: Snapshot | None, *, sees: bool, now: float) -> tuple[Snapshot | None, str]:
    """Which of the two to believe about one target, and why. Pure.

    `sample` is from Prometheus, `live` from the target's own apiserver; `sees` says whether the latter is good now, so
    that its absence means that there is no quota.
    """
    if sample is None:
        return live, "no sample"
    if sees and (live is None or live.hard != sample.hard):
        # An old limit, or another cluster's: the label in Prometheus may name the wrong one.
        return live, "its sample has other limits"
    if sees and live is not None and live.limits:
        # Prometheus shows no scopes, and is asked about CPU and memory only.
        return live, "its sample lacks some limits"
    if sample.is_stale(now, sample.good_for) and live is not None and live.sampled_at > sample.sampled_at:
        return live, "its sample is old"
    return sample, "its sample is fresh" if not sample.is_stale(now, sample.good_for) else "nothing newer"
