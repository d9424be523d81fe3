"""How far a job is, and where, in the original's words. Pure."""

from collections.abc import Sequence
from datetime import datetime

from webhook.doors.split.bodies import JobBody, JobState, NodeExecution
from webhook.doors.split.workflow import power_of
from webhook.ledger.placement import Placement
from webhook.ledger.power_jobs import Job
from webhook.ledger.splits import Chunk, Split
from webhook.model.contract import State
from webhook.splitting.progress import percent, total_done


def job_body(job: Job, row: Placement | None, split: Split | None, chunks: Sequence[Chunk]) -> JobBody:
    """A job as it is shown, from what the ledger knows of it."""
    return JobBody(
        id=job.id,
        name=job.name or job.workflow,
        namespace=job.namespace,
        powerNeeded=job.power,
        creationTime=_seconds(job.created_at),
        workflow=job.workflow,
        state=_state(job, row, split, chunks),
    )


def _state(job: Job, row: Placement | None, split: Split | None, chunks: Sequence[Chunk]) -> JobState:
    begun = [one.begun_at for one in chunks if one.begun_at]
    where = sorted({one.cluster for one in chunks if one.cluster})
    return JobState(
        phase=_phase(row, begun=bool(begun)),
        message=(row.message if row else None) or "",
        percentCompleted=percent(total_done(chunks), split.items) if split else 0,
        startTime=_seconds(min(begun)) if begun else 0,
        endTime=_seconds(row.ended_at) if row and row.ended_at else 0,
        execution={cluster: _execution(job, [one for one in chunks if one.cluster == cluster]) for cluster in where},
    )


def _execution(job: Job, chunks: Sequence[Chunk]) -> NodeExecution:
    begun = [one.begun_at for one in chunks if one.begun_at]
    ended = [one.ended_at for one in chunks if one.ended_at]
    return NodeExecution(
        powerRequested=sum(power_of(one.spans, job.power, job.unit) for one in chunks),
        startTime=_seconds(min(begun)) if begun else 0,
        endTime=_seconds(max(ended)) if len(ended) == len(chunks) else 0,
        progress=percent(total_done(chunks), sum(one.size for one in chunks)),
    )


def _phase(row: Placement | None, *, begun: bool) -> str:
    if row is None or row.state in (State.DELETING, State.DELETED, State.EXPIRED):
        return "Deleted"
    if row.state is State.ENDED:
        return row.phase or "Error"
    return "Running" if begun else "Pending"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
