"""What power an edge has, and how far that takes a Workflow. Pure.

As in the edge power scheduler, an edge has now this and now that many watts, and serves what it is asked for with them.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.nodes import Nodes
from webhook.model.objects import Object, mapping, mappings, spec_of

WATTS = (5, 10, 22, 37)
_SLOT = 10.0
"""Seconds after which an edge has other watts."""
_DEFAULT = 10.0
"""Watt-seconds of what does not say how many it takes."""
_PARAMETER = "power"
_ITEM = "{{item}}"


def watts_at(edge: str, moment: float) -> int:
    """What an edge has at a time: any of WATTS, but for one edge and time always the same."""
    return random.Random(f"{edge} {int(moment // _SLOT)}").choice(WATTS)


def served_between(edge: str, begin: float, end: float, speed: float) -> float:
    """Watt-seconds that an edge gives to each of its Workflows from `begin` to `end`, `speed` times as fast."""
    total, now = 0.0, begin
    while now < end:
        until = min(end, (now // _SLOT + 1) * _SLOT)
        total += watts_at(edge, now) * (until - now)
        now = until
    return total * speed


@dataclass(frozen=True)
class Work:
    """What a Workflow asks for: its items one after the other, each as text, with the watt-seconds that it takes."""

    items: tuple[tuple[str, float], ...]
    begin: str | None
    """What the nodes of the items are called, after the Workflow's own name; None if it is no fan-out."""

    def done(self, served: float) -> int:
        """How many items are done with so many watt-seconds."""
        left, count = served, 0
        for _, needs in self.items:
            left -= needs
            if left < 0:
                return count
            count += 1
        return count


def work_of(workflow: Mapping[str, Any]) -> Work:
    """What a Workflow asks for: that of its fan-out, or of all of it as one item."""
    spec = spec_of(workflow)
    for template in mappings(spec.get("templates")):
        if template.get("name") == spec.get("entrypoint"):
            found = _fanout(template)
            if found is not None:
                return found
    return Work((("", _amount(_parameter(spec.get("arguments")), "")),), None)


def nodes_of_work(name: str, work: Work, done: int, *, since: str, now: str, stopped: str | None = None) -> Nodes:
    """The nodes to show while `done` items are done. With `stopped`, the others have failed for that reason."""
    over = stopped is not None or done == len(work.items)
    root: Object = {"id": name, "name": name, "displayName": name, "type": "Steps", "startedAt": since}
    root |= {"phase": "Running"} if not over else {"phase": "Failed" if stopped else "Succeeded", "finishedAt": now}
    nodes = {name: root}
    for number, (item, _) in enumerate(work.items if work.begin is not None else ()):
        shown = f"{work.begin.rpartition('.')[2]}({number}:{item})" if work.begin else item
        node = {"id": f"{name}-{number}", "name": f"{name}{work.begin}({number}:{item})", "displayName": shown}
        nodes[node["id"]] = (
            node | {"type": "Pod", "boundaryID": name, "startedAt": since} | _phase(number < done, stopped, now)
        )
    return nodes


def _phase(done: bool, stopped: str | None, now: str) -> Object:
    if done:
        return {"phase": "Succeeded", "finishedAt": now}
    return {"phase": "Failed", "finishedAt": now, "message": stopped} if stopped else {"phase": "Running"}


def _fanout(template: Mapping[str, Any]) -> Work | None:
    dag = mapping(template.get("dag"))
    tasks, groups = mappings(dag.get("tasks")), template.get("steps")
    if isinstance(groups, list) and groups:
        tasks, before = mappings(groups[0]), "[0]."
    else:
        before = "."
    if not tasks or not isinstance(tasks[0].get("withItems"), list):
        return None
    given = _parameter(tasks[0].get("arguments"))
    items = tuple((str(item), _amount(given, str(item))) for item in tasks[0]["withItems"])
    return Work(items, f"{before}{tasks[0].get('name')}")


def _parameter(arguments: Any) -> str:
    found = [one for one in mappings(mapping(arguments).get("parameters")) if one.get("name") == _PARAMETER]
    return str(found[0].get("value", "")) if found else ""


def _amount(text: str, item: str) -> float:
    try:
        return max(0.0, float(text.replace(_ITEM, item)))
    except ValueError:
        return _DEFAULT
