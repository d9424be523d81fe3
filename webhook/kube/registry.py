"""The targets: Secrets at the front door, watched, so that adding or removing one takes effect at once."""

import base64
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog
import yaml
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config_from_dict
from kubernetes.config.config_exception import ConfigException

from webhook.errors import MedeaError, Missing, Refused
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import SECRETS, checked_name
from webhook.model.contract import CLUSTER
from webhook.model.objects import Object, labels

log = structlog.get_logger(__name__)

# Fields of a kubeconfig that would make Medea run a program or read a file of the Secret author's choice.
_FORBIDDEN = frozenset(
    {"exec", "auth-provider", "tokenFile", "client-certificate", "client-key", "certificate-authority"}
)

OnChange = Callable[[str, Cluster | None], None]
"""Told of a target's name, and its client or None when the target is gone."""


class Registry:
    """Every target that can be talked to, by name; and those that can't, with the reason."""

    def __init__(self, front: Cluster, namespace: str) -> None:
        self._namespace = namespace
        self._clusters: dict[str, Cluster] = {}
        self._unusable: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._listeners: list[OnChange] = []
        self._lock = threading.Lock()
        self._watch = Informer(front, SECRETS, self._on_secret, selector=CLUSTER, namespace=namespace)

    def on_change(self, listener: OnChange) -> None:
        """Be told of targets that come, change or go. To be called before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to watch."""
        self._watch.start()

    def stop(self) -> None:
        """End the watch and drop every connection."""
        self._watch.stop()
        for cluster in self._clusters.values():
            cluster.close()

    def wait(self, timeout: float) -> bool:
        """Whether the targets are known, within `timeout` seconds."""
        return self._watch.wait(timeout)

    def names(self) -> dict[str, str | None]:
        """Every registered target, with the reason why it can't be used, or None."""
        with self._lock:
            return {**dict.fromkeys(self._clusters), **self._unusable}

    def get(self, name: str) -> Cluster:
        """The client of a target. Raises Missing for a name that is not registered."""
        cluster = self._clusters.get(name)
        if cluster is None:
            raise Missing(f"target {name} is not registered at this front door")
        return cluster

    def _on_secret(self, secret: Object, gone: bool) -> None:
        name = labels(secret).get(CLUSTER, "")
        with self._lock:
            if not gone and self._seen.get(name) == _content(secret):
                return
            old = self._clusters.pop(name, None)
            self._unusable.pop(name, None)
            self._seen.pop(name, None)
            cluster = None if gone else self._join(name, secret)
        if old:
            old.close()
        for listener in self._listeners:
            listener(name, cluster)

    def _join(self, name: str, secret: Object) -> Cluster | None:
        self._seen[name] = _content(secret)
        try:
            cluster = Cluster(checked_name(f"label {CLUSTER}", name), configuration_of(secret))
        except MedeaError as error:
            log.error("target unusable", cluster=name, reason=error.message)
            self._unusable[name] = error.message
            return None
        self._clusters[name] = cluster
        log.info("target registered", cluster=name)
        return cluster


def configuration_of(secret: Object) -> Configuration:
    """The client configuration in a target's Secret. Raises Refused with what is wrong with it."""
    name = secret["metadata"]["name"]
    try:
        config: Any = yaml.safe_load(base64.b64decode(secret["data"]["kubeconfig"]))
        for forbidden in sorted(_FORBIDDEN & _keys(config)):
            raise Refused(f"Secret {name}: its kubeconfig uses {forbidden}; credentials must be embedded in it")
        configuration = Configuration()
        load_kube_config_from_dict(config, client_configuration=configuration)
    except KeyError as error:
        raise Refused(f"Secret {name} has no key {error}; a target's Secret needs one named kubeconfig") from error
    except (ValueError, TypeError, yaml.YAMLError, ConfigException) as error:
        raise Refused(f"Secret {name}: its kubeconfig can't be read: {error}") from error
    return configuration


def _keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {str(key) for key in value}.union(*(_keys(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(_keys(inner) for inner in value))
    return set()


def _content(secret: Object) -> str:
    return f"{secret['metadata']['uid']} {(secret.get('data') or {}).get('kubeconfig')}"
