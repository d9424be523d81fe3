"""How to read a spec: its templates, tasks, hooks and references. Malformed parts are skipped: Argo refuses them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.manifests import created_workflows

Spec = Mapping[str, Any]

TYPES = (
    "container",
    "containerSet",
    "steps",
    "dag",
    "script",
    "resource",
    "data",
    "suspend",
    "http",
    "plugin",
)
"""In the order in which Argo looks for them: a template with two of these has the first type."""
# Characters of a name to repeat in a field's path; Argo's own limit for names is 128.
_SHOWN = 128
# In a manifest that is about to be changed every value is a text.
_TRUE = (True, "true")
PODS = frozenset({"container", "containerSet", "script", "resource", "data"})
"""The types of templates that run a pod."""


@dataclass(frozen=True)
class Name:
    """The name of a WorkflowTemplate, or of a ClusterWorkflowTemplate if `cluster` is set."""

    name: str
    cluster: bool = False


@dataclass(frozen=True)
class Reference:
    """A place in a spec that names a WorkflowTemplate. `place` is the object that holds the name.

    `template` is the template it calls; None for a `workflowTemplateRef`, which uses the whole WorkflowTemplate.
    """

    field: str
    place: Mapping[str, Any]
    to: Name
    template: str | None


def type_of(template: Spec) -> str | None:
    """Which of Argo's template types this is; None if it has no known type."""
    return next((one for one in TYPES if template.get(one) is not None), None)


def text(value: object) -> str | None:
    """`value` if it is a non-empty string, otherwise None."""
    return value if isinstance(value, str) and value else None


def groups_of(template: Spec) -> list[list[Spec]]:
    """The groups of parallel steps of a steps template."""
    groups = template.get("steps")
    return [[*mappings(group)] for group in groups] if isinstance(groups, list) else []


def tasks_of(template: Spec) -> list[Spec]:
    """The tasks of a DAG template."""
    return [*mappings(mapping(template.get("dag")).get("tasks"))]


def hooks_of(holder: Spec) -> list[tuple[str, Spec]]:
    """The hooks of a task, step or spec, sorted by name; `onExit` is the old form of the hook `exit`."""
    found = {str(name): hook for name, hook in mapping(holder.get("hooks")).items() if isinstance(hook, Mapping)}
    if text(holder.get("onExit")):
        found["exit"] = {"template": holder["onExit"], "arguments": holder.get("arguments")}
    return sorted(found.items())


def named_templates(spec: Spec) -> dict[str, Spec]:
    """A spec's templates by name; of several with one name, the first."""
    found: dict[str, Spec] = {}
    for template in mappings(spec.get("templates")):
        found.setdefault(str(template.get("name")), template)
    return found


def callers_in(template: Spec, field: str) -> Iterator[tuple[str, Spec]]:
    """Everything in a template that calls another one, with its path: tasks, steps and hooks, inline ones included."""
    groups = [(f"{field}.dag.tasks", tasks_of(template))]
    groups += [(f"{field}.steps[{place}]", group) for place, group in enumerate(groups_of(template))]
    for where, number, task in ((where, *one) for where, group in groups for one in enumerate(group)):
        here = f"{where}[{_called(task, number)}]"
        yield here, task
        for name, hook in hooks_of(task):
            yield f"{here}.hooks.{name[:_SHOWN]}", hook
        if isinstance(task.get("inline"), Mapping):
            yield from callers_in(task["inline"], f"{here}.inline")


def inner_templates(template: Spec) -> Iterator[Spec]:
    """A template and its inline templates, at any depth."""
    yield template
    for _, caller in callers_in(template, ""):
        if isinstance(caller.get("inline"), Mapping):
            yield caller["inline"]


def spec_references(spec: Spec, field: str = "spec") -> Iterator[Reference]:
    """Every reference in a whole spec."""
    yield from _whole(spec, field)
    for name, hook in hooks_of(spec):
        yield from _single(hook, f"{field}.hooks.{name[:_SHOWN]}")
    for number, template in enumerate(mappings(spec.get("templates"))):
        yield from template_references(template, f"{field}.templates[{_called(template, number)}]")


def template_references(template: Spec, field: str) -> Iterator[Reference]:
    """Every reference in one template, including those in Workflows that a resource template creates."""
    for here, caller in callers_in(template, field):
        yield from _single(caller, here)
    for inner in inner_templates(template):
        for created in created_workflows(inner):
            yield from spec_references(mapping(created.get("spec")), f"{field}.resource.manifest.spec")


def _called(one: Spec, number: int) -> object:
    """Its name or number in a path. Cut, since one long name may be in a thousand paths."""
    return str(one.get("name") or number)[:_SHOWN]


def _whole(spec: Spec, field: str) -> Iterator[Reference]:
    place = mapping(spec.get("workflowTemplateRef"))
    name = text(place.get("name"))
    if name:
        to = Name(name, place.get("clusterScope") in _TRUE)
        yield Reference(f"{field}.workflowTemplateRef.name", place, to, None)


def _single(caller: Spec, field: str) -> Iterator[Reference]:
    place = mapping(caller.get("templateRef"))
    name = text(place.get("name"))
    if name:
        to = Name(name, place.get("clusterScope") in _TRUE)
        yield Reference(f"{field}.templateRef.name", place, to, text(place.get("template")) or "")
