"""What to do about a submitted job of a door, from what is known of its Workflow. Pure."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Protocol

from webhook.model.objects import Object, labels, status_of
from webhook.model.subworkflows import ended


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


@dataclass(frozen=True)
class Past:
    """What the ledger remembers of a Workflow that is not at the front door any more. `phase` is None if it was deleted
    before it ended."""

    phase: str | None
    message: str


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

    `label` is the one with the job's id. A Workflow that ever was there is not submitted once more, whatever became of
    it: nothing may run twice.
    """
    if origin is not None and not is_of(origin, label, job):
        return Step(Do.FAIL, f"the name {job.workflow} is taken by another Workflow")
    if origin is None:
        return _without_origin(job, past)
    phase = ended(origin)
    if phase is not None:
        return _ended(phase, str(status_of(origin).get("message") or ""))
    return Step(Do.NOTHING if job.workflow_uid else Do.NOTE)


def is_of(workflow: Object, label: str, job: Submitted) -> bool:
    """Whether a Workflow of that name is the job's."""
    if job.workflow_uid is not None:
        # Whatever labels somebody has given it since.
        return str(workflow["metadata"].get("uid")) == job.workflow_uid
    return labels(workflow).get(label) == str(job.id)


def _without_origin(job: Submitted, past: Past | None) -> Step:
    if past is not None and past.phase is not None:
        return _ended(past.phase, past.message)
    if past is not None or job.workflow_uid is not None:
        return Step(Do.FAIL, f"Workflow {job.workflow} was deleted before it ended")
    return Step(Do.SUBMIT)


def _ended(phase: str, message: str) -> Step:
    if phase == "Succeeded":
        return Step(Do.SUCCEED)
    return Step(Do.FAIL, f"{phase}: {message}" if message else phase)
