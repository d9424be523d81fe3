"""Reads ResourceQuotas, pods and LimitRanges of a target, as Kubernetes counts them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import Object, mapping, mappings, spec_of, status_of, texts
from webhook.totals.model import Defaults, Totals
from webhook.totals.pods import most_at_once
from webhook.totals.quantities import cpu_milli, memory_bytes
from webhook.totals.unknowns import RESOURCES

_FINAL = frozenset({"Succeeded", "Failed"})
_METADATA = ("name", "namespace", "uid", "resourceVersion")
_USE = "use"


@dataclass(frozen=True, slots=True)
class PodUse:
    """What one pod takes of a quota. `workflow` and `pod` name what controls it: a Workflow, or a pod by its uid."""

    limits: Totals
    workflow: str | None = None
    pod: str | None = None
    terminating: bool = False
    priority: str = ""


@dataclass(frozen=True)
class Quota:
    """One ResourceQuota: hard limit and use by resource (`cpu`, `memory`), in thousandths of a core and in bytes.

    `counted` is False until the target's quota controller has counted all that it limits.
    """

    hard: Mapping[str, int]
    used: Mapping[str, int]
    counted: bool
    scopes: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Scope, operator and values: the quota counts pods for which all are true."""

    def counts(self, pod: PodUse) -> bool | None:
        """Whether it counts this pod; None if Medea does not know the scope."""
        answers = [_in_scope(scope, operator, values, pod) for scope, operator, values in self.scopes]
        return False if False in answers else None if None in answers else True


def slim_pod(pod: Object) -> Object:
    """The part of a pod that is kept in memory."""
    metadata, spec = pod["metadata"], spec_of(pod)
    owner = next((one for one in mappings(metadata.get("ownerReferences")) if one.get("controller") is True), {})
    kind, deadline = owner.get("kind"), spec.get("activeDeadlineSeconds")
    return {
        "metadata": {key: metadata[key] for key in _METADATA if key in metadata},
        _USE: {
            "cpu": _pod_limit(spec, "cpu"),
            "memory": _pod_limit(spec, "memory"),
            "workflow": owner.get("name") if kind == "Workflow" else None,
            "pod": owner.get("uid") if kind == "Pod" else None,
            "terminating": isinstance(deadline, int) and deadline >= 0,
            "priority": str(spec.get("priorityClassName") or ""),
            "ended": status_of(pod).get("phase") in _FINAL,
        },
    }


def pod_use(slim: Object) -> PodUse | None:
    """The use of a pod that `slim_pod` has made small; None if it has ended, and is charged no more."""
    use = slim[_USE]
    if use["ended"]:
        return None
    limits = Totals(use["cpu"], use["memory"])
    return PodUse(limits, use["workflow"], use["pod"], use["terminating"], use["priority"])


def quota_of(thing: Object) -> Quota:
    """A ResourceQuota's limits on CPU and memory. Raises Refused for what is not a quantity."""
    spec, status = spec_of(thing), status_of(thing)
    wanted, hard, used = (_amounts(mapping(one)) for one in (spec.get("hard"), status.get("hard"), status.get("used")))
    # A limit that was lowered holds at once; one that was raised, when the target's own controller has noticed.
    holds = {resource: min(amount, wanted.get(resource, amount)) for resource, amount in hard.items()}
    counted = wanted.keys() <= hard.keys() and hard.keys() <= used.keys()
    return Quota(holds, used, counted, tuple(_scopes(spec)))


def defaults_of(thing: Object) -> Defaults:
    """The limits that a LimitRange gives to containers without any. Raises Refused for what is not a quantity."""
    found = Defaults()
    for limit in mappings(spec_of(thing).get("limits")):
        if limit.get("type") == "Container":
            amounts = _amounts({f"limits.{name}": value for name, value in mapping(limit.get("default")).items()})
            found = found.larger(Defaults(amounts.get("cpu"), amounts.get("memory")))
    return found


def _amounts(quantities: Mapping[str, Any]) -> dict[str, int]:
    """`limits.cpu` and `limits.memory`, by resource."""
    read = {"cpu": cpu_milli, "memory": memory_bytes}
    return {
        resource: read[resource](f"limits.{resource}", quantities[f"limits.{resource}"])
        for resource in RESOURCES
        if f"limits.{resource}" in quantities
    }


def _pod_limit(spec: Mapping[str, Any], resource: str) -> int:
    """As Kubernetes counts: limits of the whole pod take precedence, and its overhead comes on top."""
    whole = mapping(mapping(spec.get("resources")).get("limits"))
    main, first = mappings(spec.get("containers")), mappings(spec.get("initContainers"))
    inside = most_at_once(
        (_limit(one, resource) for one in main),
        ((_limit(one, resource), one.get("restartPolicy") == "Always") for one in first),
    )
    limit = _quantity(whole, resource) if resource in whole else inside
    # Without a limit there is nothing that the overhead could be added to.
    return limit + _quantity(mapping(spec.get("overhead")), resource) if limit else 0


def _limit(container: Mapping[str, Any], resource: str) -> int:
    return _quantity(mapping(mapping(container.get("resources")).get("limits")), resource)


def _quantity(amounts: Mapping[str, Any], resource: str) -> int:
    read = cpu_milli if resource == "cpu" else memory_bytes
    return read(resource, amounts[resource]) if resource in amounts else 0


def _scopes(spec: Mapping[str, Any]) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    for scope in texts(spec.get("scopes")):
        yield scope, "Exists", ()
    for one in mappings(mapping(spec.get("scopeSelector")).get("matchExpressions")):
        yield str(one.get("scopeName")), str(one.get("operator")), tuple(texts(one.get("values")))


def _in_scope(scope: str, operator: str, values: tuple[str, ...], pod: PodUse) -> bool | None:
    match scope, operator:
        case "Terminating", "Exists":
            return pod.terminating
        case "NotTerminating", "Exists":
            return not pod.terminating
        case "NotBestEffort", "Exists":
            # A pod without any limit counts for nothing anyway.
            return True
        case "PriorityClass", "In":
            return pod.priority in values
        case "PriorityClass", "NotIn":
            return pod.priority not in values
        case "PriorityClass", "Exists":
            return bool(pod.priority)
        case "PriorityClass", "DoesNotExist":
            return not pod.priority
    return None
