"""Which pods and claims a quota counts, by its scopes, as Kubernetes decides it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from webhook.model.objects import mapping, mappings, texts
from webhook.totals.demands import Traits

_OF_CLAIMS = "VolumeAttributesClass"


class Scope(NamedTuple):
    """One condition of a quota: its `operator` is Exists for those that are given without one."""

    name: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()


Scopes = tuple[Scope, ...]
"""A quota counts what meets all of them."""


def scopes_of(spec: Mapping[str, Any]) -> Scopes:
    """The scopes of a ResourceQuota with this spec, from either of the fields that may have them."""
    return tuple(_written(spec))


def counts_pod(scopes: Scopes, traits: Traits) -> bool | None:
    """Whether a quota with these scopes counts such a pod; None if that can't be told."""
    return _all(_of_pod(scope, traits) for scope in scopes)


def may_count_pod(scopes: Scopes, traits: Traits) -> bool:
    """The same, and True if it can't be told."""
    return counts_pod(scopes, traits) is not False


def may_count_claim(scopes: Scopes, attributes: str) -> bool:
    """Whether it counts a claim with this VolumeAttributesClass, or may; empty for none."""
    return _all(_of_class(one, attributes) if one.name == _OF_CLAIMS else False for one in scopes) is not False


def _written(spec: Mapping[str, Any]) -> Iterable[Scope]:
    for scope in texts(spec.get("scopes")):
        yield Scope(scope)
    for one in mappings(mapping(spec.get("scopeSelector")).get("matchExpressions")):
        yield Scope(str(one.get("scopeName")), str(one.get("operator")), tuple(texts(one.get("values"))))


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else None if None in found else True


def _of_pod(scope: Scope, traits: Traits) -> bool | None:
    match scope.name:
        case "Terminating":
            return traits.terminating
        case "NotTerminating":
            return _not(traits.terminating)
        case "BestEffort":
            return traits.best_effort
        case "NotBestEffort":
            return _not(traits.best_effort)
        case "CrossNamespacePodAffinity":
            return traits.crosses_namespaces
        case "PriorityClass":
            return None if traits.priority is None else _of_class(scope, traits.priority)
        case "VolumeAttributesClass":
            return False
    return None


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _of_class(scope: Scope, name: str) -> bool | None:
    match scope.operator:
        case "In":
            return name in scope.values
        case "NotIn":
            return name not in scope.values
        case "Exists":
            return bool(name)
        case "DoesNotExist":
            return not name
    return None
