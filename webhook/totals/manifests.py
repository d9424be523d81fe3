"""What a resource template creates, where its manifest is plain YAML."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from webhook.totals.tags import Bindings, filled

# A Workflow's own text is at most 1.5 MB. Of YAML, which takes its time to read, less will do.
_LONGEST = 64 * 1024
# Aliases let a short YAML stand for an endless one.
_MOST_VALUES = 20_000
_CREATING = frozenset({"create", "apply"})
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def created_objects(template: Mapping[str, Any], known: Bindings) -> list[dict[str, Any]] | None:
    """The objects a template creates; None when that can't be known before it runs."""
    resource = template.get("resource")
    if not isinstance(resource, Mapping) or resource.get("action") not in _CREATING:
        return []
    manifest = resource.get("manifest")
    return _objects(filled(manifest, known)) if isinstance(manifest, str) else None


def created_workflows(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Workflows among them."""
    for one in created_objects(template, {}) or []:
        if is_workflow(one):
            yield one


def is_workflow(thing: Mapping[str, Any]) -> bool:
    """Whether an object is one of Argo's Workflows."""
    return thing.get("kind") == "Workflow" and str(thing.get("apiVersion")).startswith("argoproj.io/")


def read_yaml(text: str) -> list[Any]:
    """The documents of a YAML or JSON text. Raises ValueError for what is neither, or too large."""
    if len(text) > _LONGEST:
        raise ValueError("too long")
    try:
        found = list(yaml.load_all(text, Loader=_Loader))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("not YAML") from error
    if not _small(found):
        raise ValueError("too large")
    return found


def _objects(manifest: str) -> list[dict[str, Any]] | None:
    try:
        found = read_yaml(manifest)
    except ValueError:
        return None
    return [one for one in found if isinstance(one, dict)] or None


def _small(value: Any) -> bool:
    waiting, seen = [value], 0
    while waiting:
        one = waiting.pop()
        seen += 1
        if seen > _MOST_VALUES:
            return False
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return True
