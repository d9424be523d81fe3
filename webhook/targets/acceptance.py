"""Which namespaces each target accepts work from: its own RBAC says so.

A target's administrator binds Medea's role in a namespace there, and takes the binding away again. Whoever decides asks
here and never waits: every target is asked in the background about each namespace that opted in. A namespace that no
target has been asked about yet counts as accepted: the dry run, or at last the create, finds out.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.kube.resources import EVENTS, SELF_ACCESS_REVIEWS, WORKFLOWS, Resource
from webhook.model.limits.targets import (
    ACCEPTANCE_EVERY,
    ACCEPTANCE_TIMEOUT,
    ACCEPTED_TRUSTED,
    FIRST_ASKED_AT_ONCE,
    REFUSED_TRUSTED,
)
from webhook.model.objects import status_of
from webhook.scout.eye import Namespaces

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Answer:
    accepted: bool
    asked: float

    def is_old(self, now: float) -> bool:
        return now - self.asked > (ACCEPTED_TRUSTED if self.accepted else REFUSED_TRUSTED)


class Acceptance:
    """What each target has answered. `clock` is in seconds."""

    def __init__(self, registry: Registry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._clock = registry, clock
        self._namespaces: Namespaces = lambda: None
        self._answers: dict[tuple[str, str], _Answer] = {}
        self._lock = threading.Lock()
        self._targets = PerTarget("acceptance", registry, self.turn, gone=self._forget)

    def narrow_to(self, namespaces: Namespaces) -> None:
        """Ask about these namespaces. Call this before `start`."""
        self._namespaces = namespaces

    def start(self) -> None:
        """Start asking."""
        self._targets.start()

    def stop(self) -> None:
        """Stop asking."""
        self._targets.stop()

    def refusal(self, namespace: str, target: str) -> str | None:
        """Why nothing of a namespace may be placed on a target; None if it may, as far as is known."""
        if self._registry.drained(target):
            return f"is being drained; `medea target undrain {target}` ends that"
        answer = self._answers.get((target, namespace))
        if answer is None or answer.accepted:
            return None
        return not_accepted(namespace, target)

    def refused(self, namespace: str, target: str) -> None:
        """Note that a target has just refused something because it does not accept the namespace."""
        self._note(target, namespace, accepted=False)

    def turn(self, target: str, cluster: Cluster) -> float:
        """Ask one target about some namespaces: those it was never asked about first, then the oldest answer."""
        if cluster.health.away is None:
            for namespace in self._due(target):
                try:
                    self._note(target, namespace, accepted=is_accepted(cluster, namespace))
                except MedeaError as error:
                    log.debug("acceptance not known", cluster=target, namespace=namespace, reason=error.message)
                    break
        return ACCEPTANCE_EVERY

    def _due(self, target: str) -> list[str]:
        now, wanted = self._clock(), self._namespaces() or ()
        with self._lock:
            known = {name: self._answers.get((target, name)) for name in wanted}
            for key in [key for key in self._answers if key[0] == target and key[1] not in known]:
                del self._answers[key]
        new = sorted(name for name, answer in known.items() if answer is None)
        if new:
            return new[:FIRST_ASKED_AT_ONCE]
        old = [(answer.asked, name) for name, answer in known.items() if answer and answer.is_old(now)]
        return [name for _, name in sorted(old)[:1]]

    def _note(self, target: str, namespace: str, *, accepted: bool) -> None:
        with self._lock:
            before = self._answers.get((target, namespace))
            self._answers[target, namespace] = _Answer(accepted, self._clock())
        if before is None or before.accepted is not accepted:
            log.info("target accepts" if accepted else "target does not accept", cluster=target, namespace=namespace)

    def _forget(self, target: str) -> None:
        with self._lock:
            self._answers = {key: answer for key, answer in self._answers.items() if key[0] != target}


def not_accepted(namespace: str, target: str) -> str:
    """What people read if a target does not accept a namespace, with the command that changes it."""
    return f"does not accept work from namespace {namespace}: `medea target add {target} --namespaces {namespace}`"


def not_taken(namespace: str, target: str) -> str:
    """What people read if a target lets no ConfigMap go along with runs, with the command that changes it."""
    command = f"medea target add {target} --namespaces {namespace} --take-configmaps"
    return f"does not let ConfigMaps go along with runs in namespace {namespace}: `{command}`"


def is_accepted(cluster: Cluster, namespace: str) -> bool:
    """Ask a target whether Medea may create Workflows in a namespace there."""
    return may(cluster, "create", WORKFLOWS, namespace)


def may_watch_events(cluster: Cluster, namespace: str) -> bool:
    """Ask a target whether Medea may list and watch Events in a namespace there."""
    return all(may(cluster, verb, EVENTS, namespace) for verb in ("list", "watch"))


def may(cluster: Cluster, verb: str, kind: Resource, namespace: str) -> bool:
    """Ask a target whether Medea may do that in a namespace there."""
    wanted = {"namespace": namespace, "verb": verb, "group": kind.group, "resource": kind.plural}
    review = {"metadata": {}, "spec": {"resourceAttributes": wanted}}
    answer = cluster.create(SELF_ACCESS_REVIEWS, None, review, read_timeout=ACCEPTANCE_TIMEOUT)
    return status_of(answer).get("allowed") is True
