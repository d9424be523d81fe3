"""Rows of jobs of classes. Every write is safe to repeat, and names the state that it was decided from.

What workers and their queues do with a row is in `class_leases`.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg.types.json import Json

from webhook.ledger.pool import Pool
from webhook.model.json_input import storable
from webhook.model.limits.classes import RETIRE_MOST

COLUMNS = (
    "id::text, seq, namespace, submitter, class AS name, run_by, rows, runtime, priority, latency_sensitive, data, "
    "cost, state, workflow, workflow_uid, reason, deliveries, created_at, started_at, ended_at"
)


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    """It waits for a worker."""
    SUBMITTED = "submitted"
    """Its Workflow has a name, and is, or is about to be, at the front door."""
    RUNNING = "running"
    """A worker holds it."""
    DONE = "done"
    FAILED = "failed"
    CLEANED = "cleaned"
    """Whatever is left of it is being removed, and then the row."""


@dataclass(frozen=True)
class NewJob:
    """A job that was submitted. `runtime` is in seconds, `cost` without a unit; `workflow` is a name, or empty."""

    id: str
    namespace: str
    submitter: str
    name: str
    """Its class."""
    run_by: str
    rows: int
    runtime: float
    priority: str
    latency_sensitive: bool
    data: Mapping[str, Any]
    cost: float
    workflow: str


@dataclass(frozen=True)
class Job(NewJob):
    """One row. `deliveries` is how often a worker has begun it."""

    seq: int
    state: str
    workflow_uid: str | None
    reason: str
    deliveries: int
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    ended_at: datetime.datetime | None


@dataclass(frozen=True)
class Depth:
    """How long one queue is. `oldest` is how many seconds the first of those that wait has been waiting."""

    waiting: int = 0
    running: int = 0
    oldest: float | None = None


def insert(pool: Pool, job: NewJob) -> None:
    """A new row, before anything else of the job is anywhere: submitted if it has a Workflow, otherwise queued."""
    state = JobState.SUBMITTED if job.workflow else JobState.QUEUED
    values = {**vars(job), "data": Json(dict(job.data)), "submitter": storable(job.submitter), "state": state}
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO class_jobs (id, namespace, submitter, class, run_by, rows, runtime, priority, "
            "latency_sensitive, data, cost, workflow, state, publish_at) VALUES (%(id)s, %(namespace)s, %(submitter)s, "
            "%(name)s, %(run_by)s, %(rows)s, %(runtime)s, %(priority)s, %(latency_sensitive)s, %(data)s, %(cost)s, "
            "%(workflow)s, %(state)s, CASE WHEN %(workflow)s = '' THEN now() END)",
            values,
        )


def get(pool: Pool, job: str) -> Job | None:
    """The row of that id."""
    with pool.transaction() as connection:
        row = connection.execute(f"SELECT {COLUMNS} FROM class_jobs WHERE id = %s", (job,)).fetchone()
    return job_of(row) if row else None


def exists(pool: Pool, job: str, uid: str) -> bool:
    """Its Workflow is at the front door. False if that was known before."""
    with pool.transaction() as connection:
        noted = connection.execute(
            "UPDATE class_jobs SET workflow_uid = %s, started_at = now() "
            "WHERE id = %s AND state = 'submitted' AND workflow_uid IS NULL",
            (uid, job),
        )
        return noted.rowcount == 1


def end(pool: Pool, job: str, state: JobState, reason: str) -> bool:
    """The Workflow of a submitted job is done, or has failed. False if that was known before."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE class_jobs SET state = %s, reason = %s, ended_at = now() WHERE id = %s AND state = 'submitted'",
            (state, storable(reason), job),
        )
        return done.rowcount == 1


def submitted(pool: Pool, namespace: str, *, after: int, limit: int) -> list[Job]:
    """What has a Workflow in a namespace and has not ended, by `seq`, from beyond `after` on."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM class_jobs WHERE namespace = %s AND state = 'submitted' AND seq > %s "
            "ORDER BY seq LIMIT %s",
            (namespace, after, limit),
        ).fetchall()
    return [job_of(row) for row in rows]


def depths(pool: Pool, namespace: str) -> Mapping[str, Depth]:
    """By class, what waits and runs. A Workflow runs once its run exists on a target; until then its job waits."""
    with pool.transaction() as connection:
        rows = connection.execute(
            """
            SELECT class AS name, count(*) FILTER (WHERE runs) AS running, count(*) FILTER (WHERE NOT runs) AS waiting,
                extract(epoch FROM now() - min(created_at) FILTER (WHERE NOT runs))::float AS oldest
            FROM (
                SELECT job.class, job.created_at, job.state = 'running' OR coalesce(placed.state = 'running', false)
                    AS runs
                FROM class_jobs job LEFT JOIN workflows placed ON placed.origin_uid = job.workflow_uid
                WHERE job.namespace = %s AND job.state IN ('queued', 'submitted', 'running')
            ) AS jobs GROUP BY class
            """,
            (namespace,),
        ).fetchall()
    return {row["name"]: Depth(int(row["waiting"]), int(row["running"]), row["oldest"]) for row in rows}


def places(pool: Pool, namespace: str) -> Mapping[str, Mapping[str, int]]:
    """By class and target, how many of its Workflows are placed there and have not ended."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT job.class AS name, placed.cluster, count(*) AS count FROM class_jobs job "
            "JOIN workflows placed ON placed.origin_uid = job.workflow_uid "
            "WHERE job.namespace = %s AND job.state = 'submitted' AND placed.state IN ('reserved', 'running') "
            "AND placed.cluster IS NOT NULL GROUP BY job.class, placed.cluster",
            (namespace,),
        ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["name"], {})[row["cluster"]] = int(row["count"])
    return found


def holders(pool: Pool, namespace: str) -> Mapping[str, int]:
    """By class, how many workers hold a job."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT class AS name, count(DISTINCT holder) AS count FROM class_jobs "
            "WHERE namespace = %s AND state = 'running' GROUP BY class",
            (namespace,),
        ).fetchall()
    return {row["name"]: int(row["count"]) for row in rows}


def held_up(pool: Pool, namespace: str, *, patience: float) -> int:
    """How many were submitted more than `patience` seconds ago, and have no Workflow yet as far as is known."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT count(*) AS count FROM class_jobs WHERE namespace = %s AND state = 'submitted' "
            "AND workflow_uid IS NULL AND created_at < now() - make_interval(secs => %s)",
            (namespace, patience),
        ).fetchone()
    return int(row["count"]) if row else 0


def retire(pool: Pool, *, keep: float) -> int:
    """Mark what has ended `keep` seconds ago for removal.

    Not all at once if these are very many: returns how many it marked. Those that another replica marks are left to it.
    """
    with pool.transaction() as connection:
        return connection.execute(
            "UPDATE class_jobs SET state = 'cleaned' WHERE id IN (SELECT id FROM class_jobs WHERE "
            "state IN ('done', 'failed') AND ended_at < now() - make_interval(secs => %s) "
            "LIMIT %s FOR UPDATE SKIP LOCKED)",
            (keep, RETIRE_MOST),
        ).rowcount


def cleaned(pool: Pool, *, after: int, limit: int) -> list[Job]:
    """Some of those that are to be removed, by `seq`, from beyond `after` on."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM class_jobs WHERE state = 'cleaned' AND seq > %s ORDER BY seq LIMIT %s",
            (after, limit),
        ).fetchall()
    return [job_of(row) for row in rows]


def forget(pool: Pool, job: str) -> None:
    """Nothing is left of it but this row."""
    with pool.transaction() as connection:
        connection.execute("DELETE FROM class_jobs WHERE id = %s AND state = 'cleaned'", (job,))


def job_of(row: Mapping[str, Any]) -> Job:
    """The job from a row that was selected with COLUMNS."""
    return Job(**row)
