"""What workers and their queues do with rows of jobs: publish them, hold them for a while, and end them.

A message that says that there is a job may be lost, or come twice: what counts is the row. Whoever holds a row names
itself in each write, so that one whose lease was over, and whose job another one has begun, changes nothing.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from webhook.ledger.class_jobs import COLUMNS, Job, JobState, job_of
from webhook.ledger.pool import Connection, Pool
from webhook.model.json_input import storable


@dataclass(frozen=True)
class Due:
    """A job that is to be published to the queue of its class. `until` is when it is due again if it is not."""

    id: str
    name: str
    until: datetime.datetime


class Claim(StrEnum):
    """What became of an attempt to hold a job."""

    HELD = auto()
    """It is the caller's, until the end of the lease."""
    BUSY = auto()
    """Another worker holds it."""
    OVER = auto()
    """It has ended, or there is none."""
    USED_UP = auto()
    """It was begun as often as it may be, and has failed now."""


def due(pool: Pool, namespace: str, *, again: float, limit: int) -> list[Due]:
    """Jobs to publish now, those among them whose holder is gone; due again in `again` seconds, unless `published`."""
    with pool.transaction() as connection:
        # It keeps its holder: as long as nobody else has begun it, the end that the holder has seen may still come.
        connection.execute(
            "UPDATE class_jobs SET state = 'queued', publish_at = now(), lease_until = NULL WHERE id IN ("
            "SELECT id FROM class_jobs WHERE state = 'running' AND lease_until < now() AND namespace = %s "
            "LIMIT %s FOR UPDATE SKIP LOCKED)",
            (namespace, limit),
        )
        rows = connection.execute(
            "UPDATE class_jobs SET publish_at = now() + make_interval(secs => %s) WHERE id IN ("
            "SELECT id FROM class_jobs WHERE publish_at <= now() AND namespace = %s ORDER BY publish_at, seq LIMIT %s "
            "FOR UPDATE SKIP LOCKED) RETURNING id::text, class AS name, publish_at AS until, seq",
            (again, namespace, limit),
        ).fetchall()
    return [Due(row["id"], row["name"], row["until"]) for row in sorted(rows, key=lambda row: int(row["seq"]))]


def published(pool: Pool, job: Due) -> None:
    """The broker has it. Not if it is due for another reason by now: its worker may have been that fast."""
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE class_jobs SET publish_at = NULL, published_at = now() WHERE id = %s AND publish_at = %s",
            (job.id, job.until),
        )


def unpublished(pool: Pool, jobs: Sequence[Due], *, again: float) -> None:
    """The broker does not answer: they are due in `again` seconds."""
    with pool.transaction() as connection:
        for job in jobs:
            connection.execute(
                "UPDATE class_jobs SET publish_at = now() + make_interval(secs => %s) "
                "WHERE id = %s AND publish_at = %s",
                (again, job.id, job.until),
            )


def missed(pool: Pool, namespace: str, name: str, *, empty: bool, after: float) -> int:
    """What was published `after` seconds ago and nobody has begun is due again, if the queue of its class is `empty`.

    If it is not: what is overtaken by a job that runs, and was published so much later. A queue keeps the order.
    """
    with pool.transaction() as connection:
        return connection.execute(
            "UPDATE class_jobs SET publish_at = now() WHERE namespace = %(namespace)s AND class = %(name)s "
            "AND state = 'queued' AND publish_at IS NULL AND published_at < make_interval(secs => -%(after)s) + CASE "
            "WHEN %(empty)s THEN now() ELSE (SELECT max(published_at) FROM class_jobs WHERE namespace = %(namespace)s "
            "AND class = %(name)s AND state = 'running') END",
            {"namespace": namespace, "name": name, "empty": empty, "after": after},
        ).rowcount


def claim(pool: Pool, job: str, *, name: str, holder: str, lease: float, deliveries: int) -> tuple[Claim, Job | None]:
    """Hold a job of a class for `lease` seconds; with HELD and USED_UP, its row as it is then.

    It may be begun `deliveries` times.
    """
    with pool.transaction() as connection:
        held = connection.execute(
            f"UPDATE class_jobs SET state = 'running', holder = %(holder)s, publish_at = NULL, "
            "lease_until = now() + make_interval(secs => %(lease)s), deliveries = deliveries + 1, "
            "started_at = coalesce(started_at, now()) "
            "WHERE id = %(id)s AND class = %(name)s AND run_by = 'workers' AND deliveries < %(most)s "
            f"AND (state = 'queued' OR (state = 'running' AND lease_until < now())) RETURNING {COLUMNS}",
            {"id": job, "name": name, "holder": holder, "lease": lease, "most": deliveries},
        ).fetchone()
        if held is not None:
            return Claim.HELD, job_of(held)
        return _not_held(connection, job, name, deliveries)


def _not_held(connection: Connection, job: str, name: str, deliveries: int) -> tuple[Claim, Job | None]:
    failed = connection.execute(
        "UPDATE class_jobs SET state = 'failed', ended_at = now(), publish_at = NULL, "
        "reason = CASE WHEN reason = '' THEN 'its worker was gone before it had ended' ELSE reason END "
        "WHERE id = %(id)s AND class = %(name)s AND run_by = 'workers' AND deliveries >= %(most)s "
        f"AND (state = 'queued' OR (state = 'running' AND lease_until < now())) RETURNING {COLUMNS}",
        {"id": job, "name": name, "most": deliveries},
    ).fetchone()
    if failed is not None:
        return Claim.USED_UP, job_of(failed)
    row = connection.execute("SELECT state FROM class_jobs WHERE id = %s AND class = %s", (job, name)).fetchone()
    waits = row is not None and row["state"] in (JobState.RUNNING, JobState.QUEUED)
    return (Claim.BUSY if waits else Claim.OVER), None


def renew(pool: Pool, job: str, *, holder: str, lease: float) -> bool:
    """Hold it for `lease` seconds from now on. False if it is not the holder's any more."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE class_jobs SET lease_until = now() + make_interval(secs => %s) "
            "WHERE id = %s AND holder = %s AND state = 'running'",
            (lease, job, holder),
        )
        return done.rowcount == 1


def finish(pool: Pool, job: str, state: JobState, reason: str, *, holder: str) -> bool:
    """It is done, or has failed for good. False if another worker has begun it meanwhile, or that was known before."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE class_jobs SET state = %s, reason = %s, ended_at = now(), publish_at = NULL, lease_until = NULL "
            "WHERE id = %s AND holder = %s AND state IN ('running', 'queued')",
            (state, storable(reason), job, holder),
        )
        return done.rowcount == 1


def again(pool: Pool, job: str, reason: str, *, holder: str, after: float) -> bool:
    """It is to be begun once more, in `after` seconds. False as with `finish`."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE class_jobs SET state = 'queued', reason = %s, lease_until = NULL, holder = NULL, "
            "publish_at = now() + make_interval(secs => %s) "
            "WHERE id = %s AND holder = %s AND state IN ('running', 'queued')",
            (storable(reason), after, job, holder),
        )
        return done.rowcount == 1
