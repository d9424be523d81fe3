"""What to do about a submitted job of a door, from what is known of its Workflow. Pure."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Protocol

from webhook.model.objects import Object, labels
from webhook.model.submitted_once import Fate, Past, become


class Submitted(Protocol):
    """A job whose Workflow has a name, and is, or is about to be, at the front door."""

    @property
    def id(self) -> int | str:
        """What the label on its Workflow says."""

    @property
    def namespace(self) -> str:
        """Where it is."""

    @property
    def workflow(self) -> str:
        """Its name, from before it was created."""

    @property
    def workflow_uid(self) -> str | None:
        """None until it is known to exist."""


class Do(StrEnum):
    """The next step."""

    NOTHING = auto()
    SUBMIT = auto()
    NOTE = auto()
    """Note that its Workflow exists."""
    SUCCEED = auto()
    """Its Workflow has succeeded."""
    FAIL = auto()


@dataclass(frozen=True)
class Step:
    """What to do, and why."""

    do: Do
    reason: str = ""


def next_step(job: Submitted, label: str, origin: Object | None, past: Past | None) -> Step:
    """The step for a job, given its Workflow at the front door, or what is remembered of one that is gone.

    `label` is the one with the job's id.
    """
    is_it = origin is not None and is_of(origin, label, job)
    now = become(job.workflow, job.workflow_uid, origin, past, is_it=is_it)
    match now.fate:
        case Fate.ABSENT:
            return Step(Do.SUBMIT)
        case Fate.ALIVE:
            return Step(Do.NOTHING if job.workflow_uid else Do.NOTE)
        case Fate.SPOILED:
            return Step(Do.FAIL, now.message)
    if now.phase == "Succeeded":
        return Step(Do.SUCCEED)
    return Step(Do.FAIL, f"{now.phase}: {now.message}" if now.message else now.phase)


def is_of(workflow: Object, label: str, job: Submitted) -> bool:
    """Whether a Workflow of that name is the job's."""
    if job.workflow_uid is not None:
        # Whatever labels somebody has given it since.
        return str(workflow["metadata"].get("uid")) == job.workflow_uid
    return labels(workflow).get(label) == str(job.id)
