"""Makes steps act once although they may be asked for twice: Argo's agent repeats a call if the answer is lost. Pure.

Before a step acts on a Workflow, it notes there what it will act on: the suspended nodes, or the end to be retried.
Once the step is done these are gone for good, whatever happens to the Workflow later.
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
    """Write the note, then act."""
    ACT = "act"
    DONE = "done"
    NOTHING = "nothing"
    """There is nothing to act on, and was nothing at the first call."""


def digest(*about: Any) -> str:
    """A short hash of JSON values."""
    text = json.dumps(about, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def note_key(*about: Any) -> str:
    """The name of the annotation in which one call keeps its note."""
    return ASKED + digest(*about)


def objects_of(verb: str, workflow: Mapping[str, Any]) -> frozenset[str]:
    """Hashes of what `verb` would act on now: the end for a retry, otherwise what is suspended."""
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
    """The note from an earlier call; None if there is none."""
    text = (workflow["metadata"].get("annotations") or {}).get(key)
    return None if text is None else frozenset(text.split(","))


def note(objects: frozenset[str]) -> str:
    """The note as an annotation's text."""
    return ",".join(sorted(objects))


def next_of(before: frozenset[str] | None, now: frozenset[str]) -> Next:
    """What to do, given the note and what there is to act on now."""
    if before is None:
        return Next.NOTE if now else Next.NOTHING
    return Next.ACT if before & now else Next.DONE
