"""Changes to a pod as Kubernetes merges them: lists by name, with the directives `$patch` and `$retainKeys`."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhook.model.objects import mappings

_BY_NAME = frozenset({"containers", "initContainers", "env", "volumes", "imagePullSecrets"})
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
    """A list of things with names. An element with a directive is nothing but that, as in Kubernetes."""
    directives = [one[_DIRECTIVE] for one in patch if _DIRECTIVE in one]
    if wrong := [one for one in directives if one not in ("replace", "delete")]:
        raise ValueError(f"no directive for a list: {wrong[0]}")
    gone = {_name(one) for one in patch if one.get(_DIRECTIVE) == "delete"}
    kept = [] if "replace" in directives else [one for one in under if _name(one) not in gone]
    places = dict[str, int]()
    for place, one in enumerate(kept):
        places.setdefault(_name(one), place)
    for one in patch:
        if _DIRECTIVE in one:
            continue
        place = places.setdefault(_name(one), len(kept))
        if place == len(kept):
            kept.append({})
        kept[place] = patched(kept[place], one)
    return kept


def _name(one: Mapping[str, Any]) -> str:
    return str(one.get("name"))
