"""The targets: Secrets at the front door, watched, so that adding or removing one takes effect at once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from kubernetes.client import Configuration

from webhook import threads
from webhook.errors import MedeaError, Missing
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.kubeconfig import configuration_of
from webhook.kube.resources import SECRETS, checked_name, is_name
from webhook.model.contract import CLUSTER
from webhook.model.objects import Object, labels

log = structlog.get_logger(__name__)

OnChange = Callable[[str, Cluster | None], None]
"""Told of a target's name, and its client or None when the target is gone."""
Connect = Callable[[str, Configuration], Cluster]
"""Makes the client of a target of this name."""


def connect_target(name: str, configuration: Configuration) -> Cluster:
    """A client that doesn't wait for a target that is known to be away."""
    return Cluster(name, configuration, breaker=True)


@dataclass(frozen=True)
class _Claim:
    """A Secret that registers a target."""

    secret: str
    target: str
    created: str
    object: Object

    @property
    def content(self) -> str:
        """What makes the client another one when it changes."""
        return f"{self.object['metadata'].get('uid')} {(self.object.get('data') or {}).get('kubeconfig')}"


class Registry:
    """Every target that can be talked to, by name; and those that can't, with the reason.

    Of several Secrets that register one name, the oldest counts.
    """

    def __init__(self, front: Cluster, namespace: str, *, connect: Connect = connect_target) -> None:
        self._connect = connect
        self._claims: list[_Claim] = []
        self._used: dict[str, _Claim] = {}
        self._clusters: dict[str, Cluster] = {}
        self._unusable: dict[str, str] = {}
        self._listeners: list[OnChange] = []
        self._lock = threading.Lock()
        self._watch = Informer(front, SECRETS, self._on_secret, selector=CLUSTER, namespace=namespace)

    def on_change(self, listener: OnChange) -> None:
        """Be told of targets that come, change or go. To be called before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to watch."""
        self._watch.start()

    def step(self) -> float:
        """One step of the watch, in the caller's thread: see `Informer.step`."""
        return self._watch.step()

    def stop(self) -> None:
        """End the watch and drop every connection."""
        self._watch.stop()
        for cluster in self.clusters().values():
            cluster.close()

    def wait(self, timeout: float) -> bool:
        """Whether the targets are known, and every listener has been told, within `timeout` seconds."""
        return self._watch.wait(timeout)

    def names(self) -> dict[str, str | None]:
        """Every registered target, with the reason why it can't be used now, or None.

        A Secret that lost its name to an older one is listed as `NAME (Secret SECRET)`.
        """
        with self._lock:
            away = {name: cluster.health.away for name, cluster in self._clusters.items()}
            return {**away, **self._unusable, **self._losers()}

    def registered(self) -> set[str]:
        """The names of all targets, usable or not, that have one that Kubernetes accepts."""
        with self._lock:
            return {name for name in self._used if is_name(name)}

    def clusters(self) -> dict[str, Cluster]:
        """The clients of all targets that can be talked to, by name."""
        with self._lock:
            return dict(self._clusters)

    def get(self, name: str) -> Cluster:
        """The client of a target. Raises Missing for a name that is not registered."""
        cluster = self._clusters.get(name)
        if cluster is None:
            raise Missing(f"target {name} is not registered at this front door")
        return cluster

    def _on_secret(self, _secret: Object, _gone: bool) -> None:
        """Compare all Secrets with what is used of them: who owns a name depends on the others too."""
        with self._lock:
            self._claims = self._read_claims()
            targets = {claim.target for claim in (*self._claims, *self._used.values())}
            changed = [target for target in sorted(targets) if self._owner(target) != self._used.get(target)]
            replaced = [(target, *clients) for target in changed if (clients := self._replace(target))]
        for target, old, new in replaced:
            if old:
                old.close()
            for listener in self._listeners:
                with threads.isolated("registry"):
                    listener(target, new)

    def _read_claims(self) -> list[_Claim]:
        claims = []
        for secret in self._watch.all():
            with threads.isolated("registry"):
                claims.append(_claim_of(secret))
        return claims

    def _owner(self, target: str) -> _Claim | None:
        return min(
            (claim for claim in self._claims if claim.target == target),
            key=lambda claim: (claim.created, claim.secret),
            default=None,
        )

    def _replace(self, target: str) -> tuple[Cluster | None, Cluster | None] | None:
        """Let the Secret count that owns the name now. The old client and the new one; None if it stays the same."""
        old, used, owner = self._clusters.get(target), self._used.pop(target, None), self._owner(target)
        if owner:
            self._used[target] = owner
            if used and used.content == owner.content:
                return None
        self._clusters.pop(target, None)
        self._unusable.pop(target, None)
        return old, self._join(owner) if owner else None

    def _join(self, claim: _Claim) -> Cluster | None:
        try:
            cluster = self._connect(checked_name(f"label {CLUSTER}", claim.target), configuration_of(claim.object))
        except MedeaError as error:
            log.error("target unusable", cluster=claim.target, secret=claim.secret, reason=error.message)
            self._unusable[claim.target] = error.message
            return None
        self._clusters[claim.target] = cluster
        log.info("target registered", cluster=claim.target, secret=claim.secret, address=cluster.address)
        return cluster

    def _losers(self) -> dict[str, str]:
        return {
            f"{claim.target} (Secret {claim.secret})": (
                f"the older Secret {self._used[claim.target].secret} has the label {CLUSTER}={claim.target} too"
            )
            for claim in self._claims
            if claim != self._used.get(claim.target)
        }


def _claim_of(secret: Object) -> _Claim:
    metadata = secret["metadata"]
    created = str(metadata.get("creationTimestamp") or "")
    return _Claim(str(metadata["name"]), labels(secret).get(CLUSTER, ""), created, secret)
