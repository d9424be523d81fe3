"""What Argo's agent is answered: a node, and when to ask again."""

import random
from collections.abc import Mapping
from typing import Any

from webhook.model.objects import Object

LOOK_AGAIN = "1s"
"""When somebody else changed the Workflow in the same moment."""


def around(seconds: int) -> str:
    """A time at which to ask again, as Go writes it: a quarter more or less."""
    return f"{random.uniform(0.75, 1.25) * seconds:.1f}s"


def node(phase: str, message: str, *, outputs: Object | None = None, requeue: str | None = None) -> Object:
    """A reply in the shape Argo's agent reads."""
    body: Object = {"phase": phase, "message": message}
    if outputs:
        body["outputs"] = outputs
    return {"node": body, **({"requeue": requeue} if requeue else {})}


def outputs_of(status: Mapping[str, Any], root: Mapping[str, Any]) -> Object:
    """What a Workflow that has ended hands on: the outputs of its root node, and under them its global ones."""
    sources = [status.get("outputs") or {}, root.get("outputs") or {}]
    outputs: Object = {}
    parameters = _by_name(sources, "parameters")
    if parameters:
        outputs["parameters"] = [
            {"name": key, "value": one["value"]} for key, one in parameters.items() if "value" in one
        ]
    artifacts = _by_name(sources, "artifacts")
    if artifacts:
        # Its global name would make it global in the parent as well.
        outputs["artifacts"] = [_without(one, "globalName") for one in artifacts.values()]
    return outputs | {key: sources[1][key] for key in ("result", "exitCode") if key in sources[1]}


def _by_name(sources: list[Mapping[str, Any]], kind: str) -> dict[str, Object]:
    return {str(one["name"]): one for source in sources for one in source.get(kind) or []}


def _without(thing: Object, key: str) -> Object:
    return {name: value for name, value in thing.items() if name != key}
