"""Merges a spec with its WorkflowTemplate's, and a template with its Workflow's `templateDefaults`, as Argo does."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.shape import TYPES, Spec, type_of

_BY_NAME = frozenset(
    {"sidecars", "initContainers", "containers", "parameters", "artifacts", "volumes", "imagePullSecrets"}
)

# After the merge Argo takes away what defaults made of a template, but knows only these types (`Template.SetType`).
_TAKEN_BACK = frozenset(TYPES) - {"containerSet", "http", "plugin"}


def over_template(spec: Spec, template_spec: Spec) -> dict[str, Any]:
    """The Workflow's own fields, and its WorkflowTemplate's where it has none."""
    return {
        **_merged(_plain(template_spec), _plain(spec)),
        "templates": [*mappings(spec.get("templates")), *mappings(template_spec.get("templates"))],
        "hooks": {**mapping(template_spec.get("hooks")), **mapping(spec.get("hooks"))},
    }


def over_defaults(template_spec: Spec, defaults: Spec) -> Spec:
    """A WorkflowTemplate's spec, or an empty one, with what the `workflowDefaults` of a target's Argo add."""
    return over_template(template_spec, defaults) if defaults else template_spec


def _plain(spec: Spec) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in ("templates", "hooks")}


def with_defaults(template: Spec, defaults: Spec) -> Spec:
    """The template with `templateDefaults` for what it does not set itself, and with the type that Argo then sees."""
    kind = type_of(template)
    if not defaults or kind is None:
        return template
    others = _TAKEN_BACK - {kind} if kind in _TAKEN_BACK else frozenset()
    used = {key: value for key, value in defaults.items() if value is not None and key not in others}
    merged = _merged(used, template)
    seen = type_of(merged)
    return {key: value for key, value in merged.items() if key == seen or key not in TYPES}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(under)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(under.get(key), Mapping):
            made[key] = _merged(under[key], value)
        elif key in _BY_NAME and isinstance(value, list) and isinstance(under.get(key), list):
            made[key] = _by_name(mappings(under[key]), mappings(value))
        elif value is not None:
            made[key] = value
    return made


def _by_name(under: Sequence[Spec], over: Sequence[Spec]) -> list[Spec]:
    named = {str(one.get("name")): one for one in under}
    own = [_merged(named.pop(str(one.get("name")), {}), one) for one in over]
    return [*own, *named.values()]
