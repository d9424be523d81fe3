"""Which WorkflowTemplates a run needs on its target, at the very version its origin was submitted with. Pure.

What is missing there is copied under its own name. Where the name is taken by another version, be it somebody's own or
an earlier copy, that one stays, since other runs may use it: a copy gets a name with a part of its content's hash, and
everything that refers to it is changed accordingly. Two runs that need the same version therefore share its copy, and
two that need different ones never take it from each other.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from webhook.errors import Rejected
from webhook.model.objects import Object
from webhook.totals.manifests import is_workflow, read_yaml
from webhook.totals.shape import Name, inner_templates, mapping, mappings, spec_references

Specs = Mapping[Name, Object]

_HASH = 8
# Names end up in labels here and there.
_LONGEST_NAME = 63


@dataclass(frozen=True)
class Needed:
    """The templates to have, under the names to have them, and the new names of those that got one."""

    specs: Specs
    renamed: Mapping[Name, str]


def needed(specs: Specs, there: Mapping[Name, Object | None]) -> Needed:
    """What a target needs of `specs`, where `there` are the specs that it has under their names.

    Raises Rejected when a template is meant, of which another version is there, and cannot be told by its name.
    """
    refers = {name: _referred(spec) & specs.keys() for name, spec in specs.items()}
    # Who refers to a template with a new name is another template than before, and needs one as well.
    new = {name for name, spec in specs.items() if there.get(name) not in (None, spec)}
    while more := {name for name in specs.keys() - new if refers[name] & new}:
        new |= more
    renamed = {name: _versioned(name, _closure(name, refers), specs, new) for name in new}
    made = {Name(renamed.get(name, name.name), name.cluster): rewritten(spec, renamed) for name, spec in specs.items()}
    return Needed(made, renamed)


def rewritten(spec: Mapping[str, Any], renamed: Mapping[Name, str]) -> Object:
    """A spec that refers to templates by their new names. Raises Rejected when it can't be changed."""
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
    """Templates with a new name that something refers to by an expression only, which nobody can change."""
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
    """A name that stands for the template's content, with that of all it refers to."""
    inside = sorted(reached, key=lambda one: (one.name, one.cluster))
    content = [[one.name, one.cluster, one in new, specs[one]] for one in inside]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_HASH]
    return f"{name.name[: _LONGEST_NAME - _HASH - 1].rstrip('-.')}-{digest}"
