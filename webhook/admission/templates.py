"""Gathers the WorkflowTemplates that a Workflow refers to, at any depth, as they are at the front door now."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from webhook.errors import BadRequest, ClusterUnavailable, Refused, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, WORKFLOW_TEMPLATES, checked_name
from webhook.model.objects import Object
from webhook.totals.model import Defaults
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.scope import workflow_parameters
from webhook.totals.shape import (
    Name,
    Reference,
    Spec,
    callers_in,
    inner_templates,
    mapping,
    mappings,
    named_templates,
    spec_references,
    template_references,
    text,
)
from webhook.totals.tags import UNKNOWN, filled

# The apiserver waits ten seconds for the whole review, of which the preflight has its share. A template is asked for
# twice; an apiserver that has just begun, on a machine that is busy, was seen to take two seconds for one.
_READ_TIMEOUT = 3.0
_BUDGET = 3.0
_MOST = 60


@dataclass
class Gathered:
    """`originals` are the templates as the ledger keeps them, in the order in which they were met.

    `front_door_step` names a template that is a step of Medea's own plugin, which exists at the front door only.
    """

    originals: list[Object] = field(default_factory=list)
    library: dict[Name, Spec] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    front_door_step: str | None = None


def gather(front: Cluster, namespace: str, spec: Spec) -> Gathered:
    """Read every WorkflowTemplate that may be used. Raises Refused for one that is not there, with the field."""
    return _Gathering(front, namespace, time.monotonic() + _BUDGET).all(spec)


def weigh(front: Cluster, namespace: str, spec: Spec, found: Gathered, defaults: Defaults) -> Requirements:
    """What the Workflow needs. Templates that only turn up on its way through the parameters are gathered as well."""
    gathering = _Gathering(front, namespace, time.monotonic() + _BUDGET, found)
    looked_for: set[Name] = set()
    while True:
        need = requirements_of(spec, found.library, defaults)
        more = set(need.missing) - looked_for
        if not more:
            return need
        looked_for |= more
        for name in sorted(more, key=lambda one: (one.name, one.cluster)):
            gathering.add(name)


@dataclass
class _Gathering:
    front: Cluster
    namespace: str
    until: float
    found: Gathered = field(default_factory=Gathered)
    _seen: set[tuple[Name, str | None]] = field(default_factory=set)

    def all(self, spec: Spec) -> Gathered:
        self._look_for_steps(inner for one in _own_templates(spec) for inner in inner_templates(one))
        self._follow(deque(spec_references(spec)), spec)
        return self.found

    def add(self, to: Name) -> None:
        """One that a parameter names, if it is there; a run that never gets to it does not need it."""
        with suppress(Refused):
            self._follow(deque([Reference("a parameter", {}, to, None)]), {})

    def _follow(self, waiting: deque[Reference], spec: Spec) -> None:
        own = mapping(spec.get("workflowTemplateRef")).get("name")
        known = workflow_parameters(spec, {})
        while waiting:
            reference = waiting.popleft()
            to = Name(filled(reference.to.name, known), reference.to.cluster)
            if (to, reference.template) in self._seen:
                continue
            self._seen.add((to, reference.template))
            if UNKNOWN in to.name:
                name = quoted(reference.to.name)
                self.found.notes[f"{reference.field} is {name}, known only when it runs; its target must have it"] = (
                    None
                )
                continue
            there = self._read(to, reference)
            if reference.field == "spec.workflowTemplateRef.name" and to.name == own:
                known = workflow_parameters(spec, there)
            waiting += self._inside(there, reference, to)

    def _read(self, to: Name, reference: Reference) -> Spec:
        if to not in self.found.library:
            if len(self.found.library) >= _MOST:
                raise Refused(f"{reference.field}: it refers to more than {_MOST} WorkflowTemplates")
            if time.monotonic() > self.until:
                raise ClusterUnavailable("the front door took too long to show the WorkflowTemplates; try again")
            self._fetch(to, reference)
        return self.found.library[to]

    def _fetch(self, to: Name, reference: Reference) -> None:
        kind = CLUSTER_WORKFLOW_TEMPLATES if to.cluster else WORKFLOW_TEMPLATES
        try:
            name = checked_name(reference.field, to.name)
        except BadRequest as error:
            raise Refused(error.message, **error.details) from error
        place = None if to.cluster else self.namespace
        template = self.front.find(kind, place, name, read_timeout=_READ_TIMEOUT)
        if template is None:
            raise Refused(f"{reference.field} is {quoted(name)}: there is no such {kind.kind}", field=reference.field)
        spec = template.get("spec") or {}
        self.found.library[to] = spec
        self.found.originals.append({"kind": kind.kind, "metadata": template["metadata"], "spec": spec})

    def _inside(self, spec: Spec, reference: Reference, to: Name) -> Iterator[Reference]:
        """What is referred to from there: by all of it, or by the one template that is meant and those it calls."""
        here = f"{reference.field.removesuffix('.name')}: {to.name}"
        if reference.template is None:
            self._look_for_steps(inner for one in _own_templates(spec) for inner in inner_templates(one))
            yield from spec_references(spec, f"{here}: spec")
            return
        for name, template in _called(spec, reference.template).items():
            self._look_for_steps(inner_templates(template))
            yield from template_references(template, f"{here}: spec.templates[{name}]")

    def _look_for_steps(self, templates: Iterator[Spec]) -> None:
        for template in templates:
            if "medea" in mapping(template.get("plugin")) and self.found.front_door_step is None:
                self.found.front_door_step = str(template.get("name") or "inline")


def _own_templates(spec: Spec) -> list[Spec]:
    return [*mappings(spec.get("templates")), mapping(spec.get("templateDefaults"))]


def _called(spec: Spec, first: str) -> Mapping[str, Spec]:
    """The templates of one WorkflowTemplate that run when `first` does; all of them, if that can't be known."""
    templates = named_templates(spec)
    waiting, found = [first], dict[str, Spec]()
    while waiting:
        name = waiting.pop()
        if "{{" in name:
            return templates
        if name in found or name not in templates:
            continue
        found[name] = templates[name]
        for _, caller in callers_in(templates[name], ""):
            called = text(caller.get("template"))
            if called and not caller.get("templateRef"):
                waiting.append(called)
    return found
