"""Rows of jobs with files. Every write is safe to repeat, and names the state that it was decided from."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webhook.ledger.pool import Connection, Pool
from webhook.model.json_input import storable
from webhook.model.limits.files import RETIRE_MOST, TAKE_MOST

_LOCK = 4
"""Advisory locks of lines. Namespaces use 1, retention 2, names of locks and caches 3."""
_COLUMNS = (
    "id, namespace, uploader, folder, user_id, service, state, workflow, workflow_uid, reason, created_at, "
    "submitted_at, ended_at"
)
_LINE = "namespace = %(namespace)s AND user_id = %(user_id)s AND service = %(service)s"


class JobState(StrEnum):
    """The state of a job."""

    RECEIVING = "receiving"
    """Its files are arriving; nobody knows its id yet."""
    QUEUED = "queued"
    SUBMITTED = "submitted"
    """It counts against the limit: its Workflow has a name, and is, or is about to be, at the front door."""
    DONE = "done"
    """Its results can be downloaded."""
    FAILED = "failed"
    CLEANED = "cleaned"
    """Whatever is left of it is being removed, and then the row."""


@dataclass(frozen=True)
class Line:
    """Whose jobs go one after the other: those of one user and service."""

    namespace: str
    service: str
    user_id: str


@dataclass(frozen=True)
class Job:
    """One row. `folder` is where its files are in the store; `workflow` is empty until it is submitted."""

    id: int
    namespace: str
    uploader: str
    folder: str
    user_id: str
    service: str
    state: str
    workflow: str
    workflow_uid: str | None
    reason: str
    created_at: datetime.datetime
    submitted_at: datetime.datetime | None
    ended_at: datetime.datetime | None

    @property
    def line(self) -> Line:
        """The line that it is in."""
        return Line(self.namespace, self.service, self.user_id)


def receive(pool: Pool, *, namespace: str, uploader: str, folder: str) -> int:
    """A new row, before anything is stored; returns its id."""
    with pool.transaction() as connection:
        row = connection.execute(
            "INSERT INTO file_jobs (namespace, uploader, folder) VALUES (%s, %s, %s) RETURNING id",
            (namespace, storable(uploader), folder),
        ).fetchone()
        assert row is not None
        return int(row["id"])


def queue(pool: Pool, job: int, *, user_id: str, service: str) -> bool:
    """All of its files are stored: it may be submitted. False if it took so long that it has been given up."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE file_jobs SET state = 'queued', user_id = %s, service = %s "
            "WHERE id = %s AND state IN ('receiving', 'queued')",
            (user_id, service, job),
        )
        return done.rowcount == 1


def give_up(pool: Pool, job: int) -> None:
    """An upload that was refused or broke off: what is stored of it is to be removed."""
    with pool.transaction() as connection:
        connection.execute("UPDATE file_jobs SET state = 'cleaned' WHERE id = %s AND state = 'receiving'", (job,))


def get(pool: Pool, job: int) -> Job | None:
    """The row of that id."""
    with pool.transaction() as connection:
        return _one(connection, job)


def was_given(pool: Pool, job: int) -> bool:
    """Whether a job of that id was ever there: rows are removed, and ids never given twice."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT last_value, is_called FROM file_jobs_id_seq",
        ).fetchone()
        return row is not None and bool(row["is_called"]) and job <= int(row["last_value"])


def take(pool: Pool, line: Line, *, limit: int) -> list[Job]:
    """Take what may be submitted now, in order of the ids; returns all whose Workflow is not known to exist yet.

    `limit` is how many of the line may be submitted and not ended at once. Of two who take at the same time, one waits.
    """
    with pool.transaction() as connection:
        connection.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            (_LOCK, "\n".join((line.namespace, line.service, line.user_id))),
        )
        connection.execute(
            "UPDATE file_jobs SET state = 'submitted', submitted_at = now(), "
            "workflow = 'files-' || id || '-' || right(folder, 8) WHERE id = ANY(%s) AND state = 'queued'",
            (_next_of(connection, line, limit),),
        )
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM file_jobs WHERE {_LINE} AND state = 'submitted' AND workflow_uid IS NULL "
            "ORDER BY id",
            vars(line),
        ).fetchall()
    return [_job(row) for row in rows]


def _next_of(connection: Connection, line: Line, limit: int) -> list[int]:
    """The ids of those that may be submitted now."""
    row = connection.execute(
        f"SELECT count(*) AS count FROM file_jobs WHERE {_LINE} AND state = 'submitted'", vars(line)
    ).fetchone()
    assert row is not None
    values = {**vars(line), "number": min(TAKE_MOST, max(0, limit - int(row["count"])))}
    rows = connection.execute(
        # As its index has it.
        f"SELECT id FROM file_jobs WHERE {_LINE} AND state = 'queued' ORDER BY id + 0 LIMIT %(number)s",
        values,
    ).fetchall()
    return [int(one["id"]) for one in rows]


def exists(pool: Pool, job: int, uid: str) -> bool:
    """Its Workflow is at the front door. False if that was known before."""
    with pool.transaction() as connection:
        noted = connection.execute(
            "UPDATE file_jobs SET workflow_uid = %s WHERE id = %s AND state = 'submitted' AND workflow_uid IS NULL",
            (uid, job),
        )
        return noted.rowcount == 1


def end(pool: Pool, job: int, state: JobState, reason: str) -> bool:
    """It is done, or has failed. False if that was known before."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE file_jobs SET state = %s, reason = %s, ended_at = now() WHERE id = %s AND state = 'submitted'",
            (state, storable(reason), job),
        )
        return done.rowcount == 1


def waiting_lines(pool: Pool, namespace: str) -> list[Line]:
    """The lines of a namespace in which something is queued. Costs one look at the index for each, however long."""
    with pool.transaction() as connection:
        rows = connection.execute(
            """
            WITH RECURSIVE lines AS (
                (SELECT user_id, service FROM file_jobs WHERE namespace = %(namespace)s AND state = 'queued'
                 ORDER BY user_id, service LIMIT 1)
                UNION ALL
                SELECT following.* FROM lines, LATERAL (
                    SELECT user_id, service FROM file_jobs WHERE namespace = %(namespace)s AND state = 'queued'
                        AND (user_id, service) > (lines.user_id, lines.service)
                    ORDER BY user_id, service LIMIT 1) AS following
            )
            SELECT user_id, service FROM lines
            """,
            {"namespace": namespace},
        ).fetchall()
    return [Line(namespace, row["service"], row["user_id"]) for row in rows]


def are_queued(pool: Pool, *, namespace: str, user_id: str, number: int) -> bool:
    """Whether so many jobs of a user are queued, or more: for all services together."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT 1 FROM file_jobs WHERE namespace = %s AND user_id = %s AND state = 'queued' OFFSET %s LIMIT 1",
            (namespace, user_id, number - 1),
        ).fetchone()
    return row is not None


def submitted(pool: Pool, namespace: str, *, after: Job | None, limit: int) -> list[Job]:
    """What is submitted in a namespace and has not ended, by user, service and id, from beyond `after` on."""
    beyond = (after.user_id, after.service, after.id) if after else ("", "", 0)
    with pool.transaction() as connection:
        rows = connection.execute(
            # As its index has it.
            f"SELECT {_COLUMNS} FROM file_jobs WHERE namespace = %s AND state = 'submitted' "
            "AND (user_id, service, id) > (%s, %s, %s) ORDER BY user_id, service, id LIMIT %s",
            (namespace, *beyond, limit),
        ).fetchall()
    return [_job(row) for row in rows]


def retire(pool: Pool, *, keep: float, abandoned: float) -> int:
    """Mark what has ended `keep` seconds ago, and uploads that began `abandoned` seconds ago, for removal.

    Not all at once if these are very many: returns how many it marked. Those that another replica marks are left to it.
    """
    old = (
        ("state IN ('done', 'failed') AND ended_at < now() - make_interval(secs => %s)", keep),
        ("state = 'receiving' AND created_at < now() - make_interval(secs => %s)", abandoned),
    )
    with pool.transaction() as connection:
        return sum(
            connection.execute(
                "UPDATE file_jobs SET state = 'cleaned' WHERE id IN ("
                f"SELECT id FROM file_jobs WHERE {which} LIMIT %s FOR UPDATE SKIP LOCKED)",
                (age, RETIRE_MOST),
            ).rowcount
            for which, age in old
        )


def cleaned(pool: Pool, *, after: int, limit: int) -> list[Job]:
    """Some of those that are to be removed, by `id`, from beyond `after` on."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM file_jobs WHERE state = 'cleaned' AND id > %s ORDER BY id LIMIT %s", (after, limit)
        ).fetchall()
    return [_job(row) for row in rows]


def forget(pool: Pool, job: int) -> None:
    """Nothing is left of it but this row."""
    with pool.transaction() as connection:
        connection.execute("DELETE FROM file_jobs WHERE id = %s AND state = 'cleaned'", (job,))


def counts(pool: Pool) -> Mapping[str, int]:
    """How many jobs are in each state that does not last."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT state, count(*) AS count FROM file_jobs "
            "WHERE state IN ('receiving', 'queued', 'submitted', 'cleaned') GROUP BY state"
        ).fetchall()
    return {row["state"]: int(row["count"]) for row in rows}


def held_up(pool: Pool, patience: float) -> int:
    """How many were taken more than `patience` seconds ago, and have no Workflow yet as far as is known."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT count(*) AS count FROM file_jobs WHERE state = 'submitted' AND workflow_uid IS NULL "
            "AND submitted_at < now() - make_interval(secs => %s)",
            (patience,),
        ).fetchone()
    return int(row["count"]) if row else 0


def _one(connection: Connection, job: int) -> Job | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM file_jobs WHERE id = %s", (job,)).fetchone()
    return _job(row) if row else None


def _job(row: Mapping[str, Any]) -> Job:
    return Job(**row)
