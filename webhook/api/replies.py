"""Replies to Argo's agent: a node, and when to ask again."""

import random
from collections.abc import Mapping
from typing import Any

from webhook.model.objects import Object

LOOK_AGAIN = "1s"
"""When to ask again if somebody else changed the Workflow at the same time."""


def around(seconds: int) -> str:
    """A Go duration of `seconds`, randomized by up to a quarter."""
    return f"{random.uniform(0.75, 1.25) * seconds:.1f}s"


def node(phase: str, message: str, *, outputs: Object | None = None, requeue: str | None = None) -> Object:
    """A reply in the format of Argo's agent. `requeue` is a Go duration after which it asks again."""
    body: Object = {"phase": phase, "message": message}
    if outputs:
        body["outputs"] = outputs
    return {"node": body, **({"requeue": requeue} if requeue else {})}


def outputs_of(status: Mapping[str, Any], root: Mapping[str, Any]) -> Object:
    """The outputs of a Workflow that has ended: its global ones, overridden by those of its root node."""
    sources = [status.get("outputs") or {}, root.get("outputs") or {}]
    outputs: Object = {}
    parameters = _by_name(sources, "parameters")
    if parameters:
        outputs["parameters"] = [
            {"name": key, "value": one["value"]} for key, one in parameters.items() if "value" in one
        ]
    artifacts = _by_name(sources, "artifacts")
    if artifacts:
        # With its `globalName` it would become global in the parent too.
        outputs["artifacts"] = [_without(one, "globalName") for one in artifacts.values()]
    return outputs | {key: sources[1][key] for key in ("result", "exitCode") if key in sources[1]}


def _by_name(sources: list[Mapping[str, Any]], kind: str) -> dict[str, Object]:
    return {str(one["name"]): one for source in sources for one in source.get(kind) or []}


def _without(thing: Object, key: str) -> Object:
    return {name: value for name, value in thing.items() if name != key}
