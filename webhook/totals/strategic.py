"""Changes to a pod as Kubernetes merges them: containers by name, with the directives `$patch` and `$retainKeys`."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhook.model.objects import mappings

_BY_NAME = frozenset({"containers", "initContainers"})
_DIRECTIVE = "$patch"


def patched(under: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`under`, changed by `patch`. Raises ValueError for a directive that Kubernetes refuses."""
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return {}
    kept = dict(under)
    if directive == "replace":
        kept = {}
    elif directive is not None:
        raise ValueError(f"no such directive: {directive}")
    retained = patch.get("$retainKeys")
    if isinstance(retained, list):
        kept = {key: value for key, value in kept.items() if key in retained}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        elif not key.startswith("$"):
            kept[key] = _value(key, kept.get(key), value)
    return kept


def _value(key: str, under: Any, patch: Any) -> Any:
    if isinstance(patch, Mapping):
        return patched(under if isinstance(under, Mapping) else {}, patch)
    if key in _BY_NAME and isinstance(patch, list):
        return _by_name(list(mappings(under)), list(mappings(patch)))
    return patch


def _by_name(under: Sequence[Mapping[str, Any]], patch: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A list of containers. An element with a directive is nothing but that, as in Kubernetes."""
    kept = list(under)
    for one in patch:
        if one.get(_DIRECTIVE) == "replace":
            kept = []
        elif one.get(_DIRECTIVE) == "delete":
            kept = [other for other in kept if other.get("name") != one.get("name")]
        elif _DIRECTIVE in one:
            raise ValueError(f"no directive for a container: {one[_DIRECTIVE]}")
    for one in patch:
        if _DIRECTIVE in one:
            continue
        place = next((place for place, other in enumerate(kept) if other.get("name") == one.get("name")), None)
        if place is None:
            kept.append(patched({}, one))
        else:
            kept[place] = patched(kept[place], one)
    return kept
