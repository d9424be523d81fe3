"""Which WorkflowTemplates a run needs on its target, in exactly the version its origin was submitted with. Pure.

A run never uses a template under the name that its user chose. There the name may be somebody else's, who could change
what runs; and making one would take the name from others. So each is copied under a name with a hash of its content,
always into the run's namespace, even a ClusterWorkflowTemplate, and everything that refers to it is changed
accordingly. Runs that need the same version share a copy, and runs that need different versions don't interfere.
"""

import copy
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from webhook.errors import Rejected
from webhook.model.made_workflows import with_living_objects
from webhook.model.manifest_text import edited
from webhook.model.objects import Object, mapping, mappings
from webhook.totals.manifests import is_workflow
from webhook.totals.shape import Name, inner_templates, spec_references

Specs = Mapping[Name, Object]

# 80 bits, so that nobody finds a second content for a name.
_HASH = 20
# Names may end up in labels, which have at most 63 characters.
_LONGEST_NAME = 63
# Versions before had 32 bits.
_COPY = re.compile(rf"(.+)-(?:[0-9a-f]{{{_HASH}}}|[0-9a-f]{{8}})")


@dataclass(frozen=True)
class Copy:
    """A copy as it is to be on the target: its name there, which template it is a copy of, and its spec."""

    name: str
    of: Name
    spec: Object


def specs_of(templates: Iterable[Object]) -> dict[Name, Object]:
    """The specs of templates as the ledger keeps them, by name."""
    return {Name(one["metadata"]["name"], one["kind"] == "ClusterWorkflowTemplate"): one["spec"] for one in templates}


def copies(spec: Mapping[str, Any], specs: Specs) -> tuple[Object, list[Copy]]:
    """A run's spec that refers to copies, and the copies that it needs of `specs`, those it refers to first.

    Raises Rejected if a reference can't be changed.
    """
    # Before the names are made, so that they tell copies apart by what is in them.
    specs = {name: with_living_objects(one) for name, one in specs.items()}
    refers = {name: _referred(one) & specs.keys() for name, one in specs.items()}
    wanted = _closure(_referred(spec) & specs.keys(), refers)
    renamed = {name: Name(_copy_name(name, _closure([name], refers), specs)) for name in wanted}
    made = [Copy(renamed[name].name, name, rewritten(specs[name], renamed)) for name in wanted]
    return rewritten(spec, renamed), made


def rewritten(spec: Mapping[str, Any], renamed: Mapping[Name, Name]) -> Object:
    """A spec that refers to templates by their new names. Raises Rejected if a reference can't be changed."""
    made: Object = copy.deepcopy(dict(spec))
    if not renamed:
        return made
    for template in [*mappings(made.get("templates")), mapping(made.get("templateDefaults"))]:
        for inner in inner_templates(template):
            _rewrite_manifest(inner, renamed)
    for reference in spec_references(made):
        if reference.to in renamed and isinstance(reference.place, dict):
            _refer(reference.place, renamed[reference.to])
    for reference in spec_references(made):
        if reference.to in renamed:
            raise Rejected(f"{reference.field} can't be changed to the version that is needed")
    return made


def only_by_expression(spec: Mapping[str, Any], specs: Specs) -> list[Name]:
    """The templates that only an expression names, which can't be changed, and all that they refer to in turn.

    The target must have these under their own names.
    """
    refers = {name: _referred(one) & specs.keys() for name, one in specs.items()}
    unnamed = specs.keys() - _closure(_referred(spec) & specs.keys(), refers)
    return sorted(_closure(unnamed, refers), key=lambda name: (name.name, name.cluster))


def name_with_hash(name: str, digest: str) -> str:
    """The name of a copy of `name`, whose content has this hash in hexadecimal."""
    return f"{name[: _LONGEST_NAME - _HASH - 1].rstrip('-.')}-{digest[:_HASH]}"


def is_copy_name(name: str) -> bool:
    """Whether a copy may have this name; others may have such names too."""
    return _COPY.fullmatch(name) is not None


def without_hash(name: Name) -> Name:
    """The name of a copy without its hash: that of its template, unless that one is long."""
    found = _COPY.fullmatch(name.name)
    return Name(found[1], name.cluster) if found else name


def unused(candidates: Mapping[str, Object], in_use: Iterable[object]) -> list[str]:
    """Which of these copies, by name, nothing refers to: neither `in_use`, any JSON, nor a copy that is used itself."""
    left = set(candidates)

    def keep(used: object) -> None:
        text = json.dumps(used)
        found = {name for name in left if name in text}
        left.difference_update(found)
        for name in found:
            keep(candidates[name].get("spec"))

    for one in in_use:
        keep(one)
    return sorted(left)


def _refer(place: dict[str, Any], to: Name) -> None:
    place["name"] = to.name
    place.pop("clusterScope", None)
    if to.cluster:
        place["clusterScope"] = True


def _rewrite_manifest(template: Mapping[str, Any], renamed: Mapping[Name, Name]) -> None:
    resource = template.get("resource")
    if not isinstance(resource, dict) or not isinstance(resource.get("manifest"), str):
        return
    resource["manifest"] = edited(resource["manifest"], partial(_rename_in, renamed)) or resource["manifest"]


def _rename_in(renamed: Mapping[Name, Name], documents: list[Object]) -> bool:
    workflows = [one for one in documents if is_workflow(one)]
    if not any(renamed.keys() & _referred(mapping(one.get("spec"))) for one in workflows):
        return False
    for one in workflows:
        one["spec"] = rewritten(mapping(one.get("spec")), renamed)
    return True


def _referred(spec: Mapping[str, Any]) -> set[Name]:
    return {reference.to for reference in spec_references(spec)}


def _closure(first: Collection[Name], refers: Mapping[Name, set[Name]]) -> list[Name]:
    """`first`, and all that they refer to at any depth, in the order in which they are found."""
    found = dict.fromkeys(sorted(first, key=lambda name: (name.name, name.cluster)))
    waiting = list(found)
    while waiting:
        for name in sorted(refers[waiting.pop()] - found.keys(), key=lambda one: (one.name, one.cluster)):
            found[name] = None
            waiting.append(name)
    return list(found)


def _copy_name(name: Name, reached: Iterable[Name], specs: Specs) -> str:
    """A name with a hash of the template's name and content, and of everything it refers to."""
    inside = sorted(reached, key=lambda one: (one.name, one.cluster))
    content = [[name.name, name.cluster], [[one.name, one.cluster, specs[one]] for one in inside]]
    return name_with_hash(name.name, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest())
