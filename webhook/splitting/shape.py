"""Which Workflows can be split: those whose entrypoint is a fan-out, and nothing else. Pure.

What follows a fan-out in the same Workflow would need its results, and runs on another target than these are; so such
Workflows are refused. So is all that counts for a Workflow as a whole, and would count for each chunk.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.errors import Refused, wrong_field
from webhook.model.contract import SPLIT
from webhook.model.objects import mapping, mappings
from webhook.splitting.items import items_of
from webhook.totals.scope import workflow_parameters

_EACH_CHUNK = "it would count for each chunk, not for the whole"
_REFUSED_OF_SPEC = {
    "workflowTemplateRef": "a Workflow that is split has its templates itself; its fan-out may use a templateRef",
    "onExit": "it would run once for each chunk",
    "hooks": "they would run once for each chunk",
    "volumeClaimTemplates": "each chunk would have volumes of its own",
    **dict.fromkeys(("synchronization", "parallelism", "activeDeadlineSeconds", "metrics"), _EACH_CHUNK),
}
_REFUSED_OF_TEMPLATE = dict.fromkeys(
    ("synchronization", "parallelism", "activeDeadlineSeconds", "metrics", "memoize", "timeout", "retryStrategy"),
    _EACH_CHUNK,
)
_OUTPUT = re.compile(
    r"\{\{\s*(?:steps|tasks)\.(?P<step>[^.}\s]+)\.outputs\.(?P<what>result|parameters(\.[^.}\s]+)?)\s*\}\}"
)


@dataclass(frozen=True)
class Output:
    """An output of the entrypoint. `of` is `result`, `parameters`, or `parameters.NAME` of the fan-out."""

    name: str
    of: str


@dataclass(frozen=True)
class Fanout:
    """A fan-out: the template `entrypoint` has nothing but `step`, once for each of `items`. `is_dag`: it is a task.

    Items may end with one of the phases in `tolerated`, and the others count.
    """

    entrypoint: str
    step: str
    is_dag: bool
    items: tuple[Any, ...]
    outputs: tuple[Output, ...] = ()
    tolerated: frozenset[str] = frozenset()

    def node_name(self, workflow: str) -> str:
        """What the name of an item's node begins with, where `workflow` is the name of the Workflow's root node."""
        return f"{workflow}.{self.step}(" if self.is_dag else f"{workflow}[0].{self.step}("


def fanout_of(spec: Mapping[str, Any]) -> Fanout:
    """The fan-out that a Workflow with this spec is. Raises Refused, with the field that stands in the way."""
    for key, why in _REFUSED_OF_SPEC.items():
        if spec.get(key):
            raise _no(f"spec.{key}", spec[key], why)
    defaults = mapping(spec.get("templateDefaults"))
    for key, why in _REFUSED_OF_TEMPLATE.items():
        if defaults.get(key) is not None:
            raise _no(f"spec.templateDefaults.{key}", defaults[key], f"{why}; put it on the template of the items")
    entrypoint = spec.get("entrypoint")
    found = [one for one in mappings(spec.get("templates")) if one.get("name") == entrypoint]
    if len(found) != 1 or not isinstance(entrypoint, str):
        raise _no("spec.entrypoint", entrypoint, "it must name one of spec.templates")
    template, field = found[0], f"spec.templates[{entrypoint}]"
    for key, why in _REFUSED_OF_TEMPLATE.items():
        if template.get(key) is not None:
            raise _no(f"{field}.{key}", template[key], why)
    step, where, is_dag = _only_step(template, field)
    name = step.get("name")
    if not isinstance(name, str) or not name:
        raise _no(f"{where}.name", name, "it must have a name")
    items = items_of(step, where, workflow_parameters(spec, {}))
    return Fanout(entrypoint, name, is_dag, tuple(items), _outputs(template, field, name), _tolerated(step))


def _only_step(template: Mapping[str, Any], field: str) -> tuple[Mapping[str, Any], str, bool]:
    """The only step or task of a template, where it is, and whether it is a task."""
    groups, dag = template.get("steps"), mapping(template.get("dag"))
    if isinstance(groups, list):
        flat = [one for group in groups for one in (group if isinstance(group, list) else [group])]
        steps, kind, where = flat, "steps", f"{field}.steps"
    elif dag:
        tasks = dag.get("tasks")
        steps, kind, where = tasks if isinstance(tasks, list) else [], "tasks", f"{field}.dag.tasks"
    else:
        raise _no(field, sorted(template), "the entrypoint must be steps or a dag with one fan-out")
    if len(steps) != 1 or not isinstance(steps[0], Mapping):
        names = [one.get("name") for one in steps if isinstance(one, Mapping)]
        raise _no(where, names, f"there must be one, the fan-out: what other {kind} need of it is on other targets")
    step = steps[0]
    for key in ("depends", "dependencies"):
        if step.get(key):
            raise _no(f"{where}.{key}", step[key], "there is nothing else that it could depend on")
    return step, f"{where}[{step.get('name')}]", kind == "tasks"


def _tolerated(step: Mapping[str, Any]) -> frozenset[str]:
    """The phases with which a step may end by its `continueOn`."""
    goes_on = mapping(step.get("continueOn"))
    return frozenset(phase for phase in ("Failed", "Error") if goes_on.get(phase.lower()) is True)


def _outputs(template: Mapping[str, Any], field: str, step: str) -> tuple[Output, ...]:
    outputs = mapping(template.get("outputs"))
    others = sorted(set(outputs) - {"parameters"})
    if others:
        raise _no(f"{field}.outputs", others, "only parameters can be gathered from chunks")
    return tuple(_output(one, field, step) for one in mappings(outputs.get("parameters")))


def _output(parameter: Mapping[str, Any], field: str, step: str) -> Output:
    where = f"{field}.outputs.parameters[{parameter.get('name')}].valueFrom.parameter"
    written = mapping(parameter.get("valueFrom")).get("parameter")
    match = _OUTPUT.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None or match["step"] != step:
        expected = (
            f"it must be the outputs of {step}, as {{{{steps.{step}.outputs.parameters.NAME}}}} or .outputs.result"
        )
        raise _no(where, written, expected)
    return Output(str(parameter.get("name")), match["what"])


def _no(field: str, value: object, why: str) -> Exception:
    return wrong_field(Refused, field, value, f"{why} (the annotation {SPLIT} asks for chunks)")
