"""What the Argo controllers of each target add to Workflows: their ConfigMaps, read in the background.

A target's administrator grants that by a Role in the controller's namespace (`medea target add` makes it), for that one
ConfigMap. Where it is missing nothing is known, and a check of the target says so. Only ConfigMaps that the target's
Secret names are read: what is added counts for everybody, so no tenant of a target may have a say in it.
"""

import threading
from collections.abc import Mapping

import structlog

from webhook.errors import MedeaError, NotAllowed
from webhook.kube.client import Cluster
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.kube.resources import CONFIG_MAPS
from webhook.model.limits.targets import ARGO_CONFIG_READ
from webhook.model.objects import mapping
from webhook.targets.argo import ConfigPlace, noted_places
from webhook.targets.findings import Unread
from webhook.totals.argo_config import ArgoConfig, config_of

log = structlog.get_logger(__name__)


def read_config(cluster: Cluster, place: ConfigPlace) -> ArgoConfig | Unread:
    """A controller's configuration; without a ConfigMap it adds nothing. Raises the errors of a target that is away."""
    try:
        found = cluster.find(CONFIG_MAPS, place.namespace, place.name)
        return config_of(mapping((found or {}).get("data")))
    except NotAllowed:
        return Unread(f"Medea may not get ConfigMap {place.name} in namespace {place.namespace}", forbidden=True)
    except ValueError as error:
        return Unread(f"ConfigMap {place.name} in namespace {place.namespace} can't be read: {error}")


class ArgoConfigs:
    """What was read last, by target. Whoever asks never waits."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: Mapping[str, tuple[ArgoConfig, ...]] = {}
        self._lock = threading.Lock()
        self._targets = PerTarget("argo-config", registry, self.turn, gone=self._forget)

    def start(self) -> None:
        """Start reading."""
        self._targets.start()

    def of(self, target: str) -> tuple[ArgoConfig, ...]:
        """The configurations of a target's controllers; none if they are not known."""
        return self._known.get(target, ())

    def turn(self, target: str, cluster: Cluster) -> float:
        """Read those of one target; while it is away, those read before count. Returns the seconds until the next."""
        try:
            read = [read_config(cluster, place) for place in noted_places(self._registry.secret(target) or {})]
        except MedeaError as error:
            log.debug("argo's configuration not read", cluster=target, reason=error.message)
            return ARGO_CONFIG_READ
        for one in read:
            if isinstance(one, Unread):
                log.debug("argo's configuration not known", cluster=target, reason=one.words)
        self._note(target, tuple(one for one in read if isinstance(one, ArgoConfig)))
        return ARGO_CONFIG_READ

    def _note(self, target: str, configs: tuple[ArgoConfig, ...]) -> None:
        with self._lock:
            before = self._known.get(target, ())
            self._known = {**self._known, target: configs}
        if before != configs:
            log.info("argo's configuration read", cluster=target, controllers=len(configs))

    def _forget(self, target: str) -> None:
        with self._lock:
            self._known = {name: configs for name, configs in self._known.items() if name != target}
