"""The templates a Workflow is made of: its own, those written inside a task or step, and those it refers to."""

from collections.abc import Iterator, Mapping
from typing import Any


def templates_in(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every template of a spec, with those written inline in tasks and steps, at any depth."""
    listed = spec.get("templates")
    waiting: list[Any] = [*(listed if isinstance(listed, list) else []), spec.get("templateDefaults")]
    while waiting:
        template = waiting.pop(0)
        if not isinstance(template, Mapping):
            continue
        yield template
        waiting += [task.get("inline") for task in tasks_in(template)]


def tasks_in(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tasks of a DAG template, or the steps of all groups of a steps template."""
    dag = template.get("dag")
    tasks = dag.get("tasks") if isinstance(dag, Mapping) else None
    groups = template.get("steps")
    for group in [tasks, *(groups if isinstance(groups, list) else [])]:
        steps = group.get("steps") if isinstance(group, Mapping) else group
        yield from (step for step in (steps if isinstance(steps, list) else []) if isinstance(step, Mapping))


def front_door_step(spec: Mapping[str, Any]) -> str | None:
    """The name of a template that is a step of Medea's own plugin, which exists at the front door only."""
    for template in templates_in(spec):
        plugin = template.get("plugin")
        if isinstance(plugin, Mapping) and "medea" in plugin:
            return str(template.get("name") or "inline")
    return None
