"""Which tasks of a DAG, or steps, have certainly ended before another begins. Bit j of entry i stands for task j."""

import re
from collections.abc import Iterator, Sequence

from webhook.model.objects import mapping
from webhook.totals.shape import Spec, tasks_of, text
from webhook.totals.tags import Bindings, filled

# How Argo finds tasks in `depends`: a name, or a name with a result such as `.Succeeded`.
_TASK = re.compile(r"([a-zA-Z0-9_][-a-zA-Z0-9_]*?)\.[A-Z][a-zA-Z]+|([a-zA-Z0-9_][-a-zA-Z0-9_]*)")


def wanted_tasks(template: Spec, known: Bindings) -> list[Spec]:
    """The tasks of a DAG that run: all of them, or only `dag.target` and what it depends on."""
    tasks = tasks_of(template)
    targets = text(mapping(template.get("dag")).get("target"))
    if targets is None:
        return tasks
    places = {str(task.get("name")): place for place, task in enumerate(tasks)}
    chosen = [places[name] for name in filled(targets, known).split() if name in places]
    if not chosen:
        return tasks
    earlier = dag_order(tasks)
    wanted = 0
    for place in chosen:
        wanted |= earlier[place] | 1 << place
    return [task for place, task in enumerate(tasks) if wanted >> place & 1]


def dag_order(tasks: Sequence[Spec]) -> list[int]:
    """By `depends` or `dependencies`. Argo evaluates them only when all tasks named there have ended, in any phase.

    Tasks in a cycle, which Argo refuses, count as if they depended on nothing.
    """
    waits = waits_of(tasks)
    earlier = [0] * len(tasks)
    for place in in_order(waits):
        for other in waits[place]:
            earlier[place] |= earlier[other] | 1 << other
    return earlier


def waits_of(tasks: Sequence[Spec]) -> list[set[int]]:
    """Which tasks each task of a DAG names as those it waits for."""
    places = {str(task.get("name")): place for place, task in enumerate(tasks)}
    return [{places[name] for name in _named(task) if name in places} for task in tasks]


def in_order(waits: Sequence[set[int]]) -> Iterator[int]:
    """All tasks, each after those it waits for. Tasks in a cycle, and what waits for them, are left out."""
    ready = [place for place, names in enumerate(waits) if not names]
    left = [len(names) for names in waits]
    waiting: list[list[int]] = [[] for _ in waits]
    for place, names in enumerate(waits):
        for other in names:
            waiting[other].append(place)
    while ready:
        done = ready.pop()
        yield done
        for place in waiting[done]:
            left[place] -= 1
            if not left[place]:
                ready.append(place)


def steps_order(groups: Sequence[Sequence[Spec]]) -> list[int]:
    """Groups run one after another, the steps of a group in parallel."""
    order: list[int] = []
    for group in groups:
        earlier = (1 << len(order)) - 1
        order += [earlier] * len(group)
    return order


def _named(task: Spec) -> set[str]:
    depends = text(task.get("depends"))
    if depends is not None:
        return {match[1] or match[2] for match in _TASK.finditer(depends)}
    listed = task.get("dependencies")
    return {str(name) for name in listed} if isinstance(listed, list) else set()
