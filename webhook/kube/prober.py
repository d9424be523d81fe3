"""Probes every target regularly, so that no Workflow has to find out by waiting that one is away."""

import structlog
from prometheus_client import Gauge

from webhook.kube.client import Cluster
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.model.limits.kube import PROBE_EVERY, PROBE_EVERY_WHILE_AWAY

log = structlog.get_logger(__name__)
_AWAY = Gauge("medea_target_away", "1 while a target does not answer", ["cluster"])


class TargetProber:
    """Probes each target in a thread of its own."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._targets = PerTarget("prober", registry, _ask, gone=_AWAY.remove)

    def start(self) -> None:
        """Start; targets may be added and removed later."""
        self._targets.start()

    def stop(self) -> None:
        """Stop all probes."""
        self._targets.stop()

    def probe(self, name: str) -> None:
        """Probe one target, in the caller's thread. Raises Missing for a name that is not registered."""
        _ask(name, self._registry.get(name))


def _ask(name: str, cluster: Cluster) -> float:
    was = cluster.health.away
    cluster.probe()
    away = cluster.health.away
    _AWAY.labels(name).set(away is not None)
    if away and not was:
        log.warning("target away", cluster=name, reason=away)
    elif was and not away:
        log.info("target back", cluster=name, was=was)
    return PROBE_EVERY if cluster.health.well else PROBE_EVERY_WHILE_AWAY
