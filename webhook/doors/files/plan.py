"""What to do about a submitted job, from what is known of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum, auto

from webhook.doors.files.workflow import is_of
from webhook.ledger.file_jobs import Job, JobState
from webhook.model.objects import Object, status_of
from webhook.model.subworkflows import ended


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
    LOOK_FOR_RESULTS = auto()
    """It has succeeded: it is done if there are results."""
    FAIL = auto()


@dataclass(frozen=True)
class Step:
    """What to do, and why."""

    do: Do
    reason: str = ""


def next_step(job: Job, origin: Object | None, past: Past | None) -> Step:
    """The step for a job, given its Workflow at the front door, or what is remembered of one that is gone.

    A Workflow that ever was there is not submitted once more, whatever became of it: nothing may run twice.
    """
    if job.state != JobState.SUBMITTED:
        return Step(Do.NOTHING)
    if origin is not None and not is_of(origin, job):
        return Step(Do.FAIL, f"the name {job.workflow} is taken by another Workflow")
    if origin is None:
        return _without_origin(job, past)
    phase = ended(origin)
    if phase is not None:
        return _ended(phase, str(status_of(origin).get("message") or ""))
    return Step(Do.NOTHING if job.workflow_uid else Do.NOTE)


def _without_origin(job: Job, past: Past | None) -> Step:
    if past is not None and past.phase is not None:
        return _ended(past.phase, past.message)
    if past is not None or job.workflow_uid is not None:
        return Step(Do.FAIL, f"Workflow {job.workflow} was deleted before it ended")
    return Step(Do.SUBMIT)


def _ended(phase: str, message: str) -> Step:
    if phase == "Succeeded":
        return Step(Do.LOOK_FOR_RESULTS)
    return Step(Do.FAIL, f"{phase}: {message}" if message else phase)
