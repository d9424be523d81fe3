"""Doing once what may be asked twice: Argo's agent repeats a question whose answer was lost. Pure.

A step notes on the Workflow what it is about to act on, before it acts: the nodes that are suspended, the end that is
to be retried. Each of these is gone for good when the step has been done, whoever else acts on the Workflow later.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from webhook.model.contract import ASKED
from webhook.model.nodes import nodes_of
from webhook.model.subworkflows import ended

_DIGITS = 10


class Next(StrEnum):
    NOTE = "note"
    """Write down what is to be acted on, then act."""
    ACT = "act"
    DONE = "done"
    NOTHING = "nothing"
    """There is nothing to act on, and there was nothing when it was asked first."""


def digest(*about: Any) -> str:
    """A short name for JSON, the same for the same."""
    text = json.dumps(about, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def note_key(*about: Any) -> str:
    """The annotation in which one call keeps its note."""
    return ASKED + digest(*about)


def objects_of(verb: str, workflow: Mapping[str, Any]) -> frozenset[str]:
    """What `verb` would act on now, in short names: the end for a retry, what is suspended for the rest."""
    status = workflow.get("status") or {}
    attempt = status.get("startedAt")
    if verb == "retry":
        return frozenset([digest(attempt, status.get("finishedAt"))] if ended(workflow) else [])
    waiting = [
        node_id
        for node_id, node in nodes_of(workflow).items()
        if node.get("type") == "Suspend" and node.get("phase") == "Running"
    ]
    whole = ["spec.suspend"] if verb == "resume" and (workflow.get("spec") or {}).get("suspend") else []
    return frozenset(digest(attempt, one) for one in [*waiting, *whole])


def noted(workflow: Mapping[str, Any], key: str) -> frozenset[str] | None:
    """The note that an earlier question has left; None without one."""
    text = (workflow["metadata"].get("annotations") or {}).get(key)
    return None if text is None else frozenset(text.split(","))


def note(objects: frozenset[str]) -> str:
    """The annotation's text."""
    return ",".join(sorted(objects))


def next_of(before: frozenset[str] | None, now: frozenset[str]) -> Next:
    """What to do, from the note and what there is to act on now."""
    if before is None:
        return Next.NOTE if now else Next.NOTHING
    return Next.ACT if before & now else Next.DONE
