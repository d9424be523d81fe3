"""Reads ResourceQuotas, pods and LimitRanges of a target, as Kubernetes counts them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.model.objects import Object, mapping, mappings, spec_of, status_of
from webhook.scout.scopes import Scopes, counts_pod, scopes_of
from webhook.totals.charges import canonical, charged_of, is_object_count, is_of_claims, is_of_pods
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, Amounts, Traits
from webhook.totals.model import Defaults, Totals
from webhook.totals.quantities import amount
from webhook.totals.traits import traits_of_pod

_FINAL = frozenset({"Succeeded", "Failed"})
_METADATA = ("name", "namespace", "uid", "resourceVersion")
_USE = "use"
_DEFAULTED = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class PodUse:
    """What one pod takes of a quota. `workflow` and `pod` name what controls it: a Workflow, or a pod by its uid."""

    amounts: Amounts
    workflow: str | None = None
    pod: str | None = None
    traits: Traits = field(default_factory=Traits)

    @property
    def limits(self) -> Totals:
        """Its limits of CPU and memory."""
        return Totals(self.amounts.get(LIMITS_CPU, 0), self.amounts.get(LIMITS_MEMORY, 0))


@dataclass(frozen=True)
class Quota:
    """One ResourceQuota: hard limit and use, by the resource's canonical name.

    `counted` is False until the target's quota controller has counted all that it limits.
    """

    name: str
    hard: Amounts
    used: Amounts
    counted: bool
    scopes: Scopes = ()

    def counts(self, pod: PodUse) -> bool | None:
        """Whether it counts this pod; None if Medea does not know the scope."""
        return counts_pod(self.scopes, pod.traits)


def slim_pod(pod: Object) -> Object:
    """The part of a pod that is kept in memory."""
    metadata, spec, status = pod["metadata"], spec_of(pod), status_of(pod)
    owner = next((one for one in mappings(metadata.get("ownerReferences")) if one.get("controller") is True), {})
    kind, (amounts, best_effort) = owner.get("kind"), charged_of(spec)
    shown = status.get("qosClass")
    traits = traits_of_pod(spec, best_effort=shown == "BestEffort" if shown else best_effort)
    return {
        "metadata": {key: metadata[key] for key in _METADATA if key in metadata},
        _USE: {
            "amounts": amounts,
            "workflow": owner.get("name") if kind == "Workflow" else None,
            "pod": owner.get("uid") if kind == "Pod" else None,
            "traits": [traits.priority, traits.best_effort, traits.terminating, traits.crosses_namespaces],
            "ended": status.get("phase") in _FINAL,
        },
    }


def pod_use(slim: Object) -> PodUse | None:
    """The use of a pod that `slim_pod` has made small; None if it has ended, and is charged no more."""
    use = slim[_USE]
    return None if use["ended"] else PodUse(use["amounts"], use["workflow"], use["pod"], Traits(*use["traits"]))


def quota_of(thing: Object) -> Quota:
    """A ResourceQuota's limits on what pods and claims take, and on numbers of objects.

    Raises Refused for what is not a quantity.
    """
    spec, status = spec_of(thing), status_of(thing)
    wanted, hard, used = (_amounts(mapping(one)) for one in (spec.get("hard"), status.get("hard"), status.get("used")))
    # A limit that was lowered holds at once; one that was raised, when the target's own controller has noticed.
    holds = {resource: min(amount, wanted.get(resource, amount)) for resource, amount in hard.items()}
    counted = wanted.keys() <= hard.keys() and hard.keys() <= used.keys()
    return Quota(str(thing["metadata"].get("name")), holds, used, counted, scopes_of(spec))


def defaults_of(thing: Object) -> Defaults:
    """The limits and requests that a LimitRange gives to containers without any.

    Raises Refused for what is not a quantity.
    """
    found = Defaults()
    for limit in mappings(spec_of(thing).get("limits")):
        if limit.get("type") == "Container":
            limits, requests = (_defaulted(limit, kind) for kind in ("default", "defaultRequest"))
            found = found.larger(Defaults(limits.get("cpu"), limits.get("memory"), tuple(sorted(requests.items()))))
    return found


def _defaulted(limit: Mapping[str, Any], kind: str) -> dict[str, int]:
    written = mapping(limit.get(kind))
    return {name: amount(f"{kind}.{name}", name, written[name]) for name in _DEFAULTED if name in written}


def _amounts(quantities: Mapping[str, Any]) -> dict[str, int]:
    """Those that concern Workflows, by the resource's canonical name; of two names for one, the smaller amount."""
    found: dict[str, int] = {}
    for written, value in quantities.items():
        name = canonical(written)
        if is_of_pods(name) or is_of_claims(name) or is_object_count(name):
            size = amount(written, name, value)
            found[name] = min(size, found.get(name, size))
    return found
