"""What the scopes of a quota see of a pod: as Argo will make it from a template, or as its apiserver shows it. Pure."""

from collections.abc import Mapping
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.demands import Traits
from webhook.totals.shape import Spec, text
from webhook.totals.tags import UNKNOWN, Bindings, filled

_KINDS = ("podAffinity", "podAntiAffinity")


def traits_of(
    template: Spec, spec: Spec, patched: Mapping[str, Any], known: Bindings, *, best_effort: bool, exiting: bool
) -> Traits:
    """The traits of a template's pod. `spec` is its Workflow's, `patched` are the fields that podSpecPatches set.

    `exiting` is whether it is run by an exit handler: the Workflow's deadline is not its own.
    """
    written = patched.get("priorityClassName", template.get("priorityClassName") or spec.get("podPriorityClassName"))
    priority = filled(text(written) or "", known)
    affinity = patched.get("affinity", template.get("affinity") or spec.get("affinity"))
    return Traits(
        priority=None if UNKNOWN in priority else priority,
        best_effort=best_effort,
        terminating=_ends(template, {} if exiting else spec, patched),
        crosses_namespaces=crosses_namespaces(affinity),
    )


def _ends(template: Spec, spec: Spec, patched: Mapping[str, Any]) -> bool | None:
    """Whether the pod has a deadline; None for a timeout that may come out empty."""
    if any(one.get("activeDeadlineSeconds") is not None for one in (template, spec, patched)):
        return True
    timeout = text(template.get("timeout"))
    return None if timeout and "{{" in timeout else timeout is not None


def traits_of_pod(spec: Mapping[str, Any], *, best_effort: bool) -> Traits:
    """The traits of a pod with this spec."""
    deadline = spec.get("activeDeadlineSeconds")
    return Traits(
        priority=str(spec.get("priorityClassName") or ""),
        best_effort=best_effort,
        terminating=isinstance(deadline, int) and deadline >= 0,
        crosses_namespaces=crosses_namespaces(spec.get("affinity")),
    )


def crosses_namespaces(affinity: object) -> bool:
    """Whether an affinity to pods, or an aversion, names other namespaces."""
    for kind in _KINDS:
        rules = mapping(mapping(affinity).get(kind))
        terms = [
            *mappings(rules.get("requiredDuringSchedulingIgnoredDuringExecution")),
            *(
                mapping(one.get("podAffinityTerm"))
                for one in mappings(rules.get("preferredDuringSchedulingIgnoredDuringExecution"))
            ),
        ]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False
