"""Which WorkflowTemplates a run needs on its target, in exactly the version its origin was submitted with. Pure.

A template that is missing there is copied under its own name. If the name is taken by another version, that one stays,
since other runs may use it: the copy's name gets part of its content's hash, and everything that refers to it is
changed accordingly. So runs that need the same version share a copy, and runs that need different versions don't
interfere.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from webhook.errors import Rejected
from webhook.model.objects import Object, mapping, mappings
from webhook.totals.manifests import is_workflow, read_yaml
from webhook.totals.shape import Name, inner_templates, spec_references

Specs = Mapping[Name, Object]

_HASH = 8
# Names may end up in labels, which have at most 63 characters.
_LONGEST_NAME = 63


@dataclass(frozen=True)
class Needed:
    """The templates that the target needs, by the names to use there, and the new names of renamed ones."""

    specs: Specs
    renamed: Mapping[Name, str]


def needed(specs: Specs, there: Mapping[Name, Object | None]) -> Needed:
    """What a target needs of `specs`; `there` are the specs that it has by these names.

    Raises Rejected if a reference to a template that must be renamed can't be changed.
    """
    refers = {name: _referred(spec) & specs.keys() for name, spec in specs.items()}
    # A template that refers to a renamed one changes too, so it needs a new name as well.
    new = {name for name, spec in specs.items() if there.get(name) not in (None, spec)}
    while more := {name for name in specs.keys() - new if refers[name] & new}:
        new |= more
    renamed = {name: _versioned(name, _closure(name, refers), specs, new) for name in new}
    made = {Name(renamed.get(name, name.name), name.cluster): rewritten(spec, renamed) for name, spec in specs.items()}
    return Needed(made, renamed)


def rewritten(spec: Mapping[str, Any], renamed: Mapping[Name, str]) -> Object:
    """A spec that refers to templates by their new names. Raises Rejected if a reference can't be changed."""
    made: Object = copy.deepcopy(dict(spec))
    if not renamed:
        return made
    for template in [*mappings(made.get("templates")), mapping(made.get("templateDefaults"))]:
        for inner in inner_templates(template):
            _rewrite_manifest(inner, renamed)
    for reference in spec_references(made):
        if reference.to in renamed and isinstance(reference.place, dict):
            reference.place["name"] = renamed[reference.to]
    for reference in spec_references(made):
        if reference.to in renamed:
            raise Rejected(f"{reference.field} can't be changed to the version that is needed")
    return made


def unnamed(spec: Mapping[str, Any], wanted: Needed, specs: Specs) -> set[str]:
    """Renamed templates that are referred to only by an expression, which can't be changed."""
    named = set(_referred(spec)).union(*(_referred(one) for one in specs.values()))
    return {name.name for name in wanted.renamed if name not in named}


def _rewrite_manifest(template: Mapping[str, Any], renamed: Mapping[Name, str]) -> None:
    resource = template.get("resource")
    if not isinstance(resource, dict) or not isinstance(resource.get("manifest"), str):
        return
    try:
        documents = read_yaml(resource["manifest"])
    except ValueError:
        return
    workflows = [one for one in documents if isinstance(one, dict) and is_workflow(one)]
    if any(renamed.keys() & _referred(mapping(one.get("spec"))) for one in workflows):
        for one in workflows:
            one["spec"] = rewritten(mapping(one.get("spec")), renamed)
        resource["manifest"] = yaml.safe_dump_all(documents, width=10**6, sort_keys=False)


def _referred(spec: Mapping[str, Any]) -> set[Name]:
    return {reference.to for reference in spec_references(spec)}


def _closure(first: Name, refers: Mapping[Name, set[Name]]) -> set[Name]:
    found, waiting = {first}, [first]
    while waiting:
        for name in refers[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


def _versioned(name: Name, reached: Iterable[Name], specs: Specs, new: set[Name]) -> str:
    """A name with a hash of the template's content and of everything it refers to."""
    inside = sorted(reached, key=lambda one: (one.name, one.cluster))
    content = [[one.name, one.cluster, one in new, specs[one]] for one in inside]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_HASH]
    return f"{name.name[: _LONGEST_NAME - _HASH - 1].rstrip('-.')}-{digest}"
