"""How a spec is shaped: its templates, tasks, hooks, and what it refers to. What is misshapen is passed over.

Argo itself refuses what is misshapen, so nothing is lost by not looking there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.totals.manifests import created_workflows

Spec = Mapping[str, Any]

# As Argo looks for them: a template with two of these is taken for the first.
_TYPES = (
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
# Characters of a name that a path to a field repeats; Argo's own limit for names is 128.
_SHOWN = 128
PODS = frozenset({"container", "containerSet", "script", "resource", "data"})
"""The types of templates that run a pod."""


@dataclass(frozen=True)
class Name:
    """Which WorkflowTemplate, or ClusterWorkflowTemplate when `cluster` is set."""

    name: str
    cluster: bool = False


@dataclass(frozen=True)
class Reference:
    """A place in a spec that names a WorkflowTemplate. `place` is the very object that holds the name.

    `template` is the one template of it that is meant, or None for all of it: a `workflowTemplateRef`.
    """

    field: str
    place: Mapping[str, Any]
    to: Name
    template: str | None


def type_of(template: Spec) -> str | None:
    """Which of Argo's types a template is of; None for none."""
    return next((one for one in _TYPES if template.get(one) is not None), None)


def mapping(value: object) -> Mapping[str, Any]:
    """`value`, if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The objects in `value`, if it is a list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """`value`, if it is a text that is not empty."""
    return value if isinstance(value, str) and value else None


def groups_of(template: Spec) -> list[list[Spec]]:
    """The groups of a steps template."""
    groups = template.get("steps")
    return [mappings(group) for group in groups] if isinstance(groups, list) else []


def tasks_of(template: Spec) -> list[Spec]:
    """The tasks of a DAG template."""
    return mappings(mapping(template.get("dag")).get("tasks"))


def hooks_of(holder: Spec) -> list[tuple[str, Spec]]:
    """The hooks of a task, a step or a spec by their names; `onExit` is the old way to write the hook `exit`."""
    found = {str(name): hook for name, hook in mapping(holder.get("hooks")).items() if isinstance(hook, Mapping)}
    if text(holder.get("onExit")):
        found["exit"] = {"template": holder["onExit"], "arguments": holder.get("arguments")}
    return sorted(found.items())


def named_templates(spec: Spec) -> dict[str, Spec]:
    """A spec's templates by name, the first of each name."""
    found: dict[str, Spec] = {}
    for template in mappings(spec.get("templates")):
        found.setdefault(str(template.get("name")), template)
    return found


def callers_in(template: Spec, field: str) -> Iterator[tuple[str, Spec]]:
    """Everything in a template that names or holds another one: tasks, steps and hooks, of inline ones too."""
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
    """A template and those written inline in its tasks and steps, at any depth."""
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
    """Every reference in one template; of a resource that creates a Workflow, those in there too."""
    for here, caller in callers_in(template, field):
        yield from _single(caller, here)
    for inner in inner_templates(template):
        for created in created_workflows(inner):
            yield from spec_references(mapping(created.get("spec")), f"{field}.resource.manifest.spec")


def _called(one: Spec, number: int) -> object:
    """How people find it. Cut: the name of one may be in the paths of a thousand."""
    return str(one.get("name") or number)[:_SHOWN]


def _whole(spec: Spec, field: str) -> Iterator[Reference]:
    place = mapping(spec.get("workflowTemplateRef"))
    name = text(place.get("name"))
    if name:
        to = Name(name, place.get("clusterScope") is True)
        yield Reference(f"{field}.workflowTemplateRef.name", place, to, None)


def _single(caller: Spec, field: str) -> Iterator[Reference]:
    place = mapping(caller.get("templateRef"))
    name = text(place.get("name"))
    if name:
        to = Name(name, place.get("clusterScope") is True)
        yield Reference(f"{field}.templateRef.name", place, to, text(place.get("template")) or "")
