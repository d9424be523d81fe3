"""The registry of targets, which are Secrets at the front door. They are watched, so changes take effect at once."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from kubernetes.client import Configuration

from webhook.errors import MedeaError, Missing
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.identity import Expected
from webhook.kube.informer import Informer
from webhook.kube.kubeconfig import configuration_of
from webhook.kube.resources import SECRETS, checked_name, is_name
from webhook.model.contract import CLUSTER, DRAIN, IMPERSONATE
from webhook.model.objects import Metadata, Object, annotations, labels

log = structlog.get_logger(__name__)

OnChange = Callable[[str, Cluster | None], None]
"""Called with a target's name and its new client; None if it is gone or can't be used."""
Connect = Callable[[str, Configuration], Cluster]
"""Makes the client of a target, from its name and configuration."""


def connect_target(name: str, configuration: Configuration, expected: Expected | None = None) -> Cluster:
    """A client with a breaker: it doesn't wait for a target that is known to be away, or to be another cluster."""
    return Cluster(name, configuration, breaker=True, expected=expected)


@dataclass(frozen=True)
class _Claim:
    """A Secret that registers a target."""

    secret: str
    target: str
    created: str
    object: Object

    @property
    def content(self) -> str:
        """A value that changes when a new client is needed."""
        return f"{self.object['metadata'].get('uid')} {(self.object.get('data') or {}).get('kubeconfig')}"


class Registry:
    """All targets by name: the clients of usable ones, and the reasons for unusable ones.

    If several Secrets register the same name, the oldest counts. `expected` knows the clusters by their uids.
    """

    def __init__(
        self, front: Cluster, namespace: str, *, expected: Expected | None = None, connect: Connect | None = None
    ) -> None:
        self._connect = connect or partial(connect_target, expected=expected)
        self._claims: list[_Claim] = []
        self._used: dict[str, _Claim] = {}
        self._clusters: dict[str, Cluster] = {}
        self._unusable: dict[str, str] = {}
        self._listeners: list[OnChange] = []
        self._lock = threading.Lock()
        self._watch = Informer(front, SECRETS, self._on_secret, selector=CLUSTER, namespace=namespace)

    def on_change(self, listener: OnChange) -> None:
        """Call `listener` for targets that are added, changed or removed. Call this before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Start watching the Secrets."""
        self._watch.start()

    def step(self) -> float:
        """One step of the informer, in the caller's thread: see `Informer.step`."""
        return self._watch.step()

    def stop(self) -> None:
        """Stop watching, and close all connections."""
        self._watch.stop()
        for cluster in self.clusters().values():
            cluster.close()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until all targets are known and all listeners were called; whether they are."""
        return self._watch.wait(timeout)

    def names(self) -> dict[str, str | None]:
        """Every registered target, with the reason why it can't be used now; None if it can."""
        with self._lock:
            away = {name: cluster.health.away for name, cluster in self._clusters.items()}
            return {**away, **self._unusable}

    def duplicates(self) -> dict[str, str]:
        """Secrets that register no target, as `NAME (Secret SECRET)`, with the reason: an older one has that name."""
        with self._lock:
            return {
                f"{claim.target} (Secret {claim.secret})": (
                    f"the older Secret {self._used[claim.target].secret} has the label {CLUSTER}={claim.target} too"
                )
                for claim in self._claims
                if claim != self._used.get(claim.target)
            }

    def registered(self) -> set[str]:
        """The names of all targets, usable or not, except names that Kubernetes does not accept."""
        with self._lock:
            return {name for name in self._used if is_name(name)}

    def drained(self, target: str) -> bool:
        """Whether nothing new is to be placed on a target."""
        with self._lock:
            claim = self._used.get(target)
        return claim is not None and annotations(claim.object).get(DRAIN) == "true"

    def impersonated_groups(self, target: str) -> frozenset[str] | None:
        """Whether Workflows are created there as who submitted them, and which groups of theirs count; None if not.

        What can't be read counts as no groups: it never gives anybody more.
        """
        with self._lock:
            claim = self._used.get(target)
        said = None if claim is None else annotations(claim.object).get(IMPERSONATE)
        if said is None:
            return None
        try:
            groups = json.loads(said)
        except (ValueError, RecursionError):
            groups = ()
        return frozenset(one for one in groups if isinstance(one, str)) if isinstance(groups, list) else frozenset()

    def secret(self, target: str) -> Object | None:
        """The Secret that a target is registered by, as last seen."""
        with self._lock:
            claim = self._used.get(target)
        return None if claim is None else claim.object

    def clusters(self) -> dict[str, Cluster]:
        """The clients of all usable targets, by name."""
        with self._lock:
            return dict(self._clusters)

    def get(self, name: str) -> Cluster:
        """The client of a target. Raises Missing for a name that is not registered."""
        cluster = self._clusters.get(name)
        if cluster is None:
            raise Missing(f"target {name} is not registered at this front door")
        return cluster

    def _on_secret(self, _secret: Object, _gone: bool) -> None:
        """Compare all Secrets with those in use, since one may affect another that registers the same name."""
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
        """Use the Secret that owns the name now. Returns the old and the new client; None if the client stays."""
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


def _claim_of(secret: Object) -> _Claim:
    metadata: Metadata = secret["metadata"]
    created = str(metadata.get("creationTimestamp") or "")
    return _Claim(str(metadata["name"]), labels(secret).get(CLUSTER, ""), created, secret)
