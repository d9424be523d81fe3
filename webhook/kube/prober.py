"""Probes every target regularly, so that no Workflow has to find out by waiting that one is away."""

import threading
from functools import partial

import structlog
from prometheus_client import Gauge

from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.model.limits import PROBE_EVERY, PROBE_EVERY_WHILE_AWAY

log = structlog.get_logger(__name__)
_AWAY = Gauge("medea_target_away", "1 while a target does not answer", ["cluster"])


class TargetProber:
    """Probes each target in a thread of its own, so that one that hangs does not delay the others."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._probed: dict[str, Cluster] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Start; targets may be added and removed later."""
        threads.start_loop("prober", self._turn, stop=self._stop)

    def stop(self) -> None:
        """Stop all probes."""
        self._stop.set()

    def probe(self, name: str) -> None:
        """Probe one target, in the caller's thread. Raises Missing for a name that is not registered."""
        _ask(self._registry.get(name))

    def _turn(self) -> None:
        clusters = self._registry.clusters()
        for name in self._probed.keys() - clusters.keys():
            del self._probed[name]
            _AWAY.remove(name)
        for name, cluster in clusters.items():
            _AWAY.labels(name).set(cluster.health.away is not None)
            if self._probed.get(name) is not cluster:
                self._probed[name] = cluster
                threads.start(f"probe-{name}", partial(self._follow, name, cluster))
        self._stop.wait(PROBE_EVERY_WHILE_AWAY)

    def _follow(self, name: str, cluster: Cluster) -> None:
        """Probe a target until another client replaces this one."""
        while self._probed.get(name) is cluster and not self._stop.is_set():
            with threads.isolated("prober"):
                _ask(cluster)
            self._stop.wait(PROBE_EVERY if cluster.health.well else PROBE_EVERY_WHILE_AWAY)


def _ask(cluster: Cluster) -> None:
    was = cluster.health.away
    cluster.probe()
    away = cluster.health.away
    if away and not was:
        log.warning("target away", cluster=cluster.name, reason=away)
    elif was and not away:
        log.info("target back", cluster=cluster.name, was=was)
