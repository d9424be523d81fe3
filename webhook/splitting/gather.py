"""What the items of a chunk have left, from the nodes of its Workflow; and all of it in the order of the items. Pure.

As Argo does it for a fan-out: an output parameter is the list of all items' values, and `result` the list of results.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.model.nodes import Nodes, references
from webhook.model.objects import Object, mapping, mappings
from webhook.splitting.shape import Fanout

_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')
_DONE = frozenset({"Succeeded", "Skipped", "Omitted"})


@dataclass(frozen=True)
class Left:
    """What one item has left: its output parameters, and what its script printed. Empty for one that was skipped."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None

    def as_json(self) -> Object:
        """For the ledger."""
        return {"parameters": dict(self.parameters), **({} if self.result is None else {"result": self.result})}


def left_of(written: Mapping[str, Any]) -> Left:
    """The opposite of `as_json`."""
    return Left(mapping(written.get("parameters")), written.get("result"))


def done_items(nodes: Nodes, fanout: Fanout, workflow: str) -> dict[int, Left]:
    """What each item that is done has left, by its position in the chunk. `workflow` is the chunk's name."""
    own = _own_nodes(nodes, fanout, workflow)
    return {position: _left(node) for position, node in own.items() if node.get("phase") in _DONE}


def failed_items(nodes: Nodes, fanout: Fanout, workflow: str, excused: Collection[str]) -> dict[int, str]:
    """The phases of items that failed by themselves, and not because of what the words in `excused` say."""
    own = _own_nodes(nodes, fanout, workflow)
    failed = {position: node for position, node in own.items() if node.get("phase") in ("Failed", "Error")}
    return {position: str(node["phase"]) for position, node in failed.items() if not _is_excused(nodes, node, excused)}


def _is_excused(nodes: Nodes, node: Object, excused: Collection[str]) -> bool:
    """Whether one of the words is said by a node or by one inside of it."""
    waiting, seen = [node], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if any(words in str(one.get("message")) for words in excused):
            return True
        waiting += [nodes[child] for child in references(one, "children") if child in nodes]
    return False


def _own_nodes(nodes: Nodes, fanout: Fanout, workflow: str) -> dict[int, Object]:
    """The node of each item. A retried one has several, and its own has the shortest name of them."""
    own: dict[int, Object] = {}
    for position, node in _item_nodes(nodes, fanout, workflow):
        if position not in own or len(str(node.get("name"))) < len(str(own[position].get("name"))):
            own[position] = node
    return own


def _item_nodes(nodes: Nodes, fanout: Fanout, workflow: str) -> Iterable[tuple[int, Object]]:
    # With hold plugin the graft has the target's name between that of the Workflow and the rest.
    begin = re.escape(fanout.node_name("").removesuffix(f"{fanout.step}("))
    pattern = re.compile(rf"{re.escape(workflow)}(\.[a-z0-9-]+)?{begin}")
    position = re.compile(rf"{re.escape(fanout.step)}\((?P<position>\d{{1,7}}):")
    for node in nodes.values():
        name, shown = str(node.get("name")), str(node.get("displayName"))
        match = position.match(shown)
        # Nodes inside an item have its name before their own.
        if match and name.endswith(shown) and pattern.fullmatch(name.removesuffix(shown)):
            yield int(match["position"]), node


def _left(node: Mapping[str, Any]) -> Left:
    outputs = mapping(node.get("outputs"))
    parameters = {
        str(one["name"]): str(one["value"])
        for one in mappings(outputs.get("parameters"))
        if {"name", "value"} <= set(one)
    }
    result = outputs.get("result")
    return Left(parameters, result if isinstance(result, str) else None)


def gathered(everything: Iterable[Left]) -> Object:
    """The outputs of the fan-out, as a node has them; empty if no item left any. In order of the items."""
    lists: dict[str, list[str]] = {}
    results: list[str] = []
    for one in everything:
        for name, value in one.parameters.items():
            lists.setdefault(name, []).append(value)
        if one.result is not None:
            results.append(_item(one.result))
    parameters = [{"name": name, "value": _json(values)} for name, values in sorted(lists.items())]
    return {
        **({"parameters": parameters} if parameters else {}),
        **({"result": f"[{','.join(results)}]"} if results else {}),
    }


def entrypoint_outputs(fanout: Fanout, everything: Iterable[Left]) -> Object:
    """The outputs of the entrypoint, which its template makes of those of the fan-out."""
    if not fanout.outputs:
        return {}
    known = list(everything)
    whole = gathered(known)
    values = {f"parameters.{one['name']}": one["value"] for one in mappings(whole.get("parameters"))}
    values["parameters"] = _json([dict(one.parameters) for one in known if one.parameters])
    values["result"] = whole.get("result", "[]")
    return {"parameters": [{"name": one.name, "value": values.get(one.of, "[]")} for one in fanout.outputs]}


def _item(result: str) -> str:
    """A result that is JSON is an item as such in Argo's list, each number as it is written; any other is a text."""
    try:
        json.loads(result, parse_float=str, parse_int=str, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return _json(result)
    return _SPACE.sub(lambda found: found[1] or "", result)


def _no_json(text: str) -> None:
    raise ValueError(text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
