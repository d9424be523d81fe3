"""The ConfigMaps of the front door that go along with a run. Pure.

Each is copied under a name with a hash of its content, and the run refers to that: under its own name a target may have
another one, and copies of two versions don't interfere. A copy can't be changed, so that what runs is what was
submitted. ConfigMaps with the sizes of semaphores are not taken: a lock that only some Workflows know locks nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from webhook.model.contract import ARGO_CONFIG_MAP_TYPE, ARGO_PARAMETERS, COPIED, COPY_OF
from webhook.model.objects import Object, labels
from webhook.model.run import Original
from webhook.model.template_versions import name_with_hash

_PLACES = frozenset({"configMapKeyRef", "configMapRef", "configMap", "krbConfigConfigMap"})
# What is in these is not for a pod of the run, or not Kubernetes' own.
_NOT_LOOKED_INTO = frozenset({"synchronization", "memoize", "artifactRepositoryRef", "plugin"})
_CONTENT = ("data", "binaryData")


def as_taken(config_map: Object) -> Object:
    """What the ledger keeps of a ConfigMap."""
    kind = labels(config_map).get(ARGO_CONFIG_MAP_TYPE)
    marks = {ARGO_CONFIG_MAP_TYPE: kind} if kind == ARGO_PARAMETERS else {}
    content = {key: config_map[key] for key in _CONTENT if config_map.get(key)}
    return {"metadata": {"name": config_map["metadata"]["name"], "labels": marks}, **content}


def copy_of(taken: Object) -> Object:
    """The copy as it is to be on the target. Of its labels only the one that Argo asks for is kept."""
    name = str(taken["metadata"]["name"])
    text = json.dumps([name, labels(taken), {key: taken.get(key) for key in _CONTENT}], sort_keys=True)
    metadata = {
        "name": name_with_hash(name, hashlib.sha256(text.encode()).hexdigest()),
        "labels": {COPIED: "true", **labels(taken)},
        "annotations": {COPY_OF: f"ConfigMap/{name}"},
    }
    return {"metadata": metadata, "immutable": True, **{key: taken[key] for key in _CONTENT if key in taken}}


def same_content(found: Object, copy: Object) -> bool:
    """Whether a ConfigMap on a target is this copy."""
    kinds = [labels(one).get(ARGO_CONFIG_MAP_TYPE) for one in (found, copy)]
    return kinds[0] == kinds[1] and all((found.get(key) or {}) == (copy.get(key) or {}) for key in _CONTENT)


def with_copies(original: Original) -> tuple[Original, list[Object]]:
    """The original of a run that refers to copies, and these copies."""
    made = {str(one["metadata"]["name"]): copy_of(one) for one in original.get("config_maps") or ()}
    if not made:
        return original, []
    names = {name: str(one["metadata"]["name"]) for name, one in made.items()}
    workflow = {**original["workflow"], "spec": renamed(original["workflow"]["spec"], names)}
    templates = [{**one, "spec": renamed(one.get("spec") or {}, names)} for one in original["templates"]]
    return {**original, "workflow": workflow, "templates": templates}, list(made.values())


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Any part of a spec, with these names of ConfigMaps replaced where they are written out."""
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _renamed_in(str(key), inner, names) for key, inner in value.items()}


def _renamed_in(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key in _NOT_LOOKED_INTO:
        return value
    if key in _PLACES and isinstance(value, Mapping) and value.get("name") in names:
        return {**value, "name": names[str(value["name"])]}
    return renamed(value, names)


def size_of(taken: Iterable[Object]) -> int:
    """Bytes of these in the ledger."""
    return sum(len(json.dumps(one)) for one in taken)
