"""What a ClusterProfile says about a target: sig-multicluster's API for what is known of a cluster. Pure.

Nothing in it may change while nothing has changed: it is written only when it differs from what is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from webhook.model.limits.targets import LONGEST_PROPERTY, PROFILE_NAMESPACES
from webhook.model.objects import Object, mappings, status_of
from webhook.scout.model import Obstacle, Verdict
from webhook.targets.argo import Controller
from webhook.targets.versions import ARGO, Age
from webhook.totals.model import GIB, Totals, cores, gibibytes

MANAGER = "medea"
MANAGED_BY = "x-k8s.io/cluster-manager"
"""The API's own label for the name of the cluster manager."""

_HALF_A_CORE = 500


@dataclass(frozen=True)
class Seen:
    """What a target last said of itself. `lacks` are Argo's kinds that it does not serve."""

    version: str
    lacks: tuple[str, ...]
    controller: Controller | None


@dataclass(frozen=True)
class View:
    """What is known of one target now.

    `unusable` says why it has no client, `verdicts` have its numbers for each namespace that opted in.
    """

    name: str
    unusable: str | None = None
    away: bool = False
    drained: bool = False
    seen: Seen | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def accepting(self) -> list[tuple[str, Verdict]]:
        """The namespaces that it accepts work from."""
        return [
            (name, verdict)
            for name, verdict in sorted(self.verdicts.items())
            if verdict.obstacle is not Obstacle.CLOSED
        ]


def new_profile(name: str, space: str) -> Object:
    """A ClusterProfile without a status."""
    metadata = {"name": name, "namespace": space, "labels": {MANAGED_BY: MANAGER}}
    return {"metadata": metadata, "spec": {"displayName": name, "clusterManager": {"name": MANAGER}}}


def wanted_status(view: View, found: Object, stamp: str) -> Object:
    """The status that a profile should have; `found` is the profile as it is, `stamp` the time of a change."""
    before = {one.get("type"): one for one in mappings(status_of(found).get("conditions"))}
    conditions = []
    for kind, status, reason, message in _conditions(view):
        old = before.get(kind) or {}
        since = old.get("lastTransitionTime") if old.get("status") == status else None
        now = {"type": kind, "status": status, "reason": reason, "message": message}
        conditions.append({**now, "lastTransitionTime": since or stamp})
    version = {"version": {"kubernetes": view.seen.version}} if view.seen else {}
    properties = [{"name": name, "value": value[:LONGEST_PROPERTY]} for name, value in _properties(view)]
    return {"conditions": conditions, "properties": properties, **version}


def differs(found: Object, status: Object) -> bool:
    """Whether a profile must be written so that it has this status."""
    there = status_of(found)
    return any(there.get(key) != value for key, value in status.items())


def _conditions(view: View) -> Iterator[tuple[str, str, str, str]]:
    if view.unusable:
        yield "ControlPlaneHealthy", "Unknown", "Unusable", view.unusable
    elif view.away:
        yield "ControlPlaneHealthy", "False", "Away", "its apiserver does not answer"
    else:
        yield "ControlPlaneHealthy", "True", "Reachable", "its apiserver answers"
    yield "ArgoReady", *_argo(view.seen)
    yield "QuotaKnown", *_quota(view)
    yield "AcceptsWork", *_accepts(view)


def _argo(seen: Seen | None) -> tuple[str, str, str]:
    if seen is None:
        return "Unknown", "NotAsked", "it has not been asked yet"
    if seen.lacks:
        return "False", "NotInstalled", f"it does not serve {', '.join(seen.lacks)}"
    if seen.controller is None:
        return "Unknown", "NoSign", "there is neither a lease nor a ready pod of Argo's controller"
    if ARGO.age(seen.controller.version or "") is Age.TOO_OLD:
        return "False", "TooOld", ARGO.words(str(seen.controller.version))
    return "True", "ControllerAlive", seen.controller.words


def _quota(view: View) -> tuple[str, str, str]:
    accepting = view.accepting()
    unknown = [name for name, verdict in accepting if verdict.free is None or verdict.obstacle is Obstacle.STALE]
    if unknown:
        return "False", "NoQuota", f"no fresh quota is known for {_few(unknown)}"
    if not accepting:
        return "Unknown", "NoNamespace", "no namespace that opted in is accepted"
    return "True", "Known", f"for {_few([name for name, _ in accepting])}"


def _accepts(view: View) -> tuple[str, str, str]:
    if view.drained:
        return "False", "Drained", "it is being drained"
    names = [name for name, _ in view.accepting()]
    if not names:
        return "False", "NoNamespace", "no namespace that opted in is accepted"
    return "True", "Accepted", f"from {_few(names)}"


def _properties(view: View) -> Iterator[tuple[str, str]]:
    accepting = view.accepting()
    if view.seen and view.seen.controller and view.seen.controller.version:
        yield "medea.dev/argo-version", view.seen.controller.version
    if accepting:
        yield "medea.dev/namespaces", str(len(accepting))
    for name, verdict in accepting[:PROFILE_NAMESPACES]:
        if verdict.free is not None:
            yield f"medea.dev/free.{name}", _room(verdict.free)


def _room(free: Totals) -> str:
    """Free room, coarse, so that it does not change all the time."""
    cpu, memory = max(free.cpu_milli, 0), max(free.memory_bytes, 0)
    return f"{cores(cpu // _HALF_A_CORE * _HALF_A_CORE)} cpu, {gibibytes(memory // GIB * GIB)}"


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
