"""Reads the WorkflowTemplates that a Workflow refers to, at any depth, from the front door."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from webhook.errors import BadRequest, Refused, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, WORKFLOW_TEMPLATES, checked_name
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import MOST_TEMPLATES, TEMPLATE_TIMEOUT, TEMPLATES_BUDGET
from webhook.model.objects import Object, mapping, mappings
from webhook.totals.scope import workflow_parameters
from webhook.totals.shape import (
    Name,
    Reference,
    Spec,
    callers_in,
    inner_templates,
    named_templates,
    spec_references,
    template_references,
    text,
)
from webhook.totals.tags import UNKNOWN, filled


@dataclass(frozen=True)
class Gathered:
    """`originals` are the templates for the ledger, in the order in which they were found.

    `front_door_step` is the name of a template that uses Medea's own plugin, which exists only at the front door.
    """

    originals: tuple[Object, ...] = ()
    library: Mapping[Name, Spec] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    front_door_step: str | None = None


NOTHING_YET = Gathered()


def gather(front: Cluster, namespace: str, spec: Spec, latest: Deadline) -> Gathered:
    """Read every WorkflowTemplate that may be used. Raises Refused, naming the field, for one that does not exist."""
    gathering = _Gathering(front, namespace, latest.within(TEMPLATES_BUDGET), NOTHING_YET)
    gathering.follow(spec)
    return gathering.gathered()


def gather_more(front: Cluster, namespace: str, found: Gathered, names: Collection[Name], latest: Deadline) -> Gathered:
    """`found` with these templates added. Missing ones are skipped, since the run may never use them."""
    gathering = _Gathering(front, namespace, latest.within(TEMPLATES_BUDGET), found)
    for name in sorted(names, key=lambda one: (one.name, one.cluster)):
        gathering.add(name)
    return gathering.gathered()


class _Gathering:
    """One walk along the references, starting from what was `found` before."""

    def __init__(self, front: Cluster, namespace: str, deadline: Deadline, found: Gathered) -> None:
        self._front, self._namespace, self._deadline = front, namespace, deadline
        self._originals, self._library = list(found.originals), dict(found.library)
        self._notes = dict.fromkeys(found.notes)
        self._step = found.front_door_step
        self._seen: set[tuple[Name, str | None]] = set()

    def gathered(self) -> Gathered:
        """Everything found so far."""
        return Gathered(tuple(self._originals), self._library, tuple(self._notes), self._step)

    def follow(self, spec: Spec) -> None:
        """Read everything that a Workflow's spec refers to."""
        self._look_for_steps(inner for one in _own_templates(spec) for inner in inner_templates(one))
        self._follow(deque(spec_references(spec)), spec)

    def add(self, to: Name) -> None:
        """Read a template whose name comes from a parameter; skip it if it does not exist."""
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
                self._notes[f"{reference.field} is {name}, known only when it runs; its target must have it"] = None
                continue
            there = self._read(to, reference)
            if reference.field == "spec.workflowTemplateRef.name" and to.name == own:
                known = workflow_parameters(spec, there)
            waiting += self._inside(there, reference, to)

    def _read(self, to: Name, reference: Reference) -> Spec:
        if to not in self._library:
            if len(self._library) >= MOST_TEMPLATES:
                raise Refused(f"{reference.field}: it refers to more than {MOST_TEMPLATES} WorkflowTemplates")
            self._fetch(to, reference)
        return self._library[to]

    def _fetch(self, to: Name, reference: Reference) -> None:
        kind = CLUSTER_WORKFLOW_TEMPLATES if to.cluster else WORKFLOW_TEMPLATES
        try:
            name = checked_name(reference.field, to.name)
        except BadRequest as error:
            raise Refused(error.message, **error.details) from error
        place = None if to.cluster else self._namespace
        timeout = self._deadline.timeout(TEMPLATE_TIMEOUT, f"to read the {kind.kind} {quoted(name)}")
        template = self._front.find(kind, place, name, read_timeout=timeout)
        if template is None:
            raise Refused(f"{reference.field} is {quoted(name)}: there is no such {kind.kind}", field=reference.field)
        spec = template.get("spec") or {}
        self._library[to] = spec
        self._originals.append({"kind": kind.kind, "metadata": template["metadata"], "spec": spec})

    def _inside(self, spec: Spec, reference: Reference, to: Name) -> Iterator[Reference]:
        """The references in a WorkflowTemplate: all, or only those of the called template and templates it calls."""
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
            if "medea" in mapping(template.get("plugin")) and self._step is None:
                self._step = str(template.get("name") or "inline")


def _own_templates(spec: Spec) -> list[Spec]:
    return [*mappings(spec.get("templates")), mapping(spec.get("templateDefaults"))]


def _called(spec: Spec, first: str) -> Mapping[str, Spec]:
    """The templates of one WorkflowTemplate that run if `first` does; all of them if that can't be known."""
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
