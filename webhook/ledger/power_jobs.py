"""Rows of jobs that are counted in power. A row is there before its Workflow is created, with that one's name."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webhook.errors import Busy
from webhook.ledger.pool import Pool
from webhook.model.json_input import storable

_COLUMNS = "id, namespace, name, power, unit, template, split, owner, workflow, uid, created_at"


@dataclass(frozen=True)
class NewJob:
    """A job that is asked for. `power` and `unit`, that of an item, are in watt-seconds; `owner` is who calls."""

    namespace: str
    name: str | None
    power: int
    unit: int
    template: str
    split: str
    owner: str


@dataclass(frozen=True)
class Job(NewJob):
    """A row. `uid` is that of its Workflow once that is known to exist."""

    id: int
    workflow: str
    uid: str | None
    created_at: datetime


@dataclass(frozen=True)
class Asked:
    """A split Workflow as people asked for it; `job` and what follows are set if it is a job's."""

    workflow: str
    asked: int | None
    items: int
    identity: str
    created_at: datetime
    job: int | None
    name: str | None
    power: int | None


@dataclass(frozen=True)
class Wanted:
    """What a target shall run. `whole` is the Workflow that it is a chunk of."""

    cluster: str
    workflow: str
    state: str
    cpu_milli: int
    memory_bytes: int
    whole: str | None


def ask(pool: Pool, new: NewJob) -> Job:
    """The row of a new job; that of an earlier one of the same name, whatever that asks for.

    Its Workflow has a name that nobody has used or can guess: ids begin anew in a ledger that was lost, and what an
    earlier job has left at the front door is not this one. Raises Busy if the earlier one is being refused just now.
    """
    with pool.transaction() as connection:
        row = connection.execute(
            "INSERT INTO power_jobs (namespace, name, power, unit, template, split, owner) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (namespace, name) DO NOTHING RETURNING id",
            (new.namespace, new.name, new.power, new.unit, new.template, new.split, storable(new.owner)),
        ).fetchone()
        if row is None:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM power_jobs WHERE namespace = %s AND name = %s", (new.namespace, new.name)
            ).fetchone()
        else:
            found = connection.execute(
                f"UPDATE power_jobs SET workflow = %s WHERE id = %s RETURNING {_COLUMNS}",
                (f"power-job-{row['id']}-{secrets.token_hex(3)}", row["id"]),
            ).fetchone()
        if found is None:
            raise Busy(f"the job called {new.name} was refused just now; ask again")
        return _job(found)


def get(pool: Pool, job: int) -> Job | None:
    """The row of that id."""
    with pool.transaction() as connection:
        row = connection.execute(f"SELECT {_COLUMNS} FROM power_jobs WHERE id = %s", (job,)).fetchone()
    return _job(row) if row else None


def exists(pool: Pool, job: int, uid: str) -> None:
    """Its Workflow is at the front door."""
    with pool.transaction() as connection:
        connection.execute("UPDATE power_jobs SET uid = %s WHERE id = %s AND uid IS NULL", (uid, job))


def refused(pool: Pool, job: int) -> None:
    """Its Workflow was refused: there is no such job."""
    with pool.transaction() as connection:
        connection.execute("DELETE FROM power_jobs WHERE id = %s AND uid IS NULL", (job,))


def asked_for(pool: Pool, namespace: str, limit: int) -> list[Asked]:
    """The split Workflows of a namespace that are not gone, the newest first."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT workflows.name AS workflow, splits.asked, splits.items, identity, workflows.created_at, "
            "power_jobs.id AS job, power_jobs.name, power_jobs.power FROM splits JOIN workflows USING (placement) "
            "LEFT JOIN power_jobs ON power_jobs.namespace = workflows.namespace "
            "AND power_jobs.workflow = workflows.name WHERE splits.namespace = %s "
            "AND state NOT IN ('deleted', 'expired') AND workflows.name IS NOT NULL "
            "ORDER BY splits.created_at DESC, workflows.seq DESC LIMIT %s",
            (namespace, limit),
        ).fetchall()
    return [Asked(**row) for row in rows]


def wanted(pool: Pool, namespace: str, limit: int) -> list[Wanted]:
    """What holds room on targets, by target."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT live.cluster, coalesce(live.run_name, live.name, '') AS workflow, live.state, "
            "coalesce(live.reserved_cpu_milli, live.cpu_milli) AS cpu_milli, "
            "coalesce(live.reserved_memory_bytes, live.memory_bytes) AS memory_bytes, wholes.name AS whole "
            "FROM workflows AS live LEFT JOIN split_chunks ON split_chunks.name = live.name "
            "AND split_chunks.uid = live.origin_uid LEFT JOIN workflows AS wholes "
            "ON wholes.placement = split_chunks.placement "
            "WHERE live.namespace = %s AND live.cluster IS NOT NULL AND live.released_at IS NULL "
            "ORDER BY live.cluster, live.seq LIMIT %s",
            (namespace, limit),
        ).fetchall()
    return [Wanted(**row) for row in rows]


def waiting(pool: Pool, namespace: str) -> int:
    """How many Workflows of a namespace wait for a target."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT count(*) AS count FROM workflows WHERE namespace = %s AND state = 'queued'", (namespace,)
        ).fetchone()
    assert row is not None
    return int(row["count"])


def _job(row: Mapping[str, Any]) -> Job:
    return Job(**row)
