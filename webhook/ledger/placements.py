"""Reads and writes single placements. Every write is safe to repeat.

A write names the state, target and run that it was decided from, and does nothing if the row has changed since. So a
process that stalled and is no longer the leader changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from psycopg.types.json import Jsonb

from webhook.ledger import sharing
from webhook.ledger.placement import COLUMNS, SWEEP_COLUMNS, Placement, SweepRow, placement_of, sweep_row_of
from webhook.ledger.pool import Connection, Pool
from webhook.model.contract import State
from webhook.model.json_input import storable
from webhook.model.objects import mapping
from webhook.model.run import Original
from webhook.model.submitted_once import Past

_QUEUED_ANEW = "state = 'queued', cluster = NULL, run_name = NULL, placed_at = NULL"


def get(pool: Pool, placement: str) -> Placement | None:
    """The row of that id. An id may be anything that somebody has written into an annotation."""
    return _one(pool, "placement = %s", (storable(placement),))


def by_origin(pool: Pool, namespace: str, name: str) -> Placement | None:
    """The newest placement of an origin's name: names are reused once their Workflow is gone.

    A row without an origin counts only if no other has the name: it may be from a create that failed.
    """
    order = "ORDER BY bound_at IS NOT NULL DESC, seq DESC LIMIT 1"
    return _one(pool, f"namespace = %s AND name = %s {order}", (namespace, name))


def past(pool: Pool, namespace: str, name: str) -> Past | None:
    """What is remembered of the newest origin of that name; None if none was ever seen."""
    row = by_origin(pool, namespace, name)
    if row is None or row.bound_at is None:
        return None
    lost = row.state is State.ENDED and row.cluster is None and row.dispatched_at is not None
    return Past(row.phase, row.message or "", lost)


def was_origin(pool: Pool, namespace: str, name: str) -> bool:
    """Whether an origin of that name was ever seen there, as far back as the ledger remembers."""
    return past(pool, namespace, name) is not None


def original(pool: Pool, placement: str) -> Original | None:
    """The Workflow as its user sent it, and what goes along with it. None if it is lost or there is no row."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT original, (SELECT coalesce(jsonb_agg(body ORDER BY position), '[]') FROM workflow_templates "
            "JOIN templates USING (hash) WHERE workflow_templates.placement = workflows.placement) AS templates "
            "FROM workflows WHERE placement = %s",
            (placement,),
        ).fetchone()
    kept = mapping(row["original"]) if row else {}
    return cast("Original", {"templates": row["templates"], **kept}) if row and "workflow" in kept else None


def outcome(pool: Pool, placement: str) -> dict[str, Any]:
    """The run's final status in Argo's format; empty if it never had one."""
    with pool.transaction() as connection:
        row = connection.execute("SELECT outcome FROM workflows WHERE placement = %s", (placement,)).fetchone()
    return dict(mapping(row["outcome"])) if row else {}


def sweepable(pool: Pool, after: int, limit: int) -> list[SweepRow]:
    """The next `limit` rows with a `seq` above `after`, except those that are deleted or expired."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {SWEEP_COLUMNS} FROM workflows WHERE state NOT IN ('deleted', 'expired') AND seq > %s "
            "ORDER BY seq LIMIT %s",
            (after, limit),
        )
        return [sweep_row_of(row) for row in rows]


def unbound(pool: Pool, older_than: float) -> list[Placement]:
    """Rows older than `older_than` seconds whose origin has not appeared."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM workflows WHERE bound_at IS NULL AND state IN ('queued', 'reserved', 'split') "
            "AND created_at < now() - make_interval(secs => %s)",
            (older_than,),
        )
        return [placement_of(row) for row in rows]


def queued_namespaces(pool: Pool) -> list[str]:
    """Namespaces in which something is queued."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT namespace FROM workflows WHERE state = 'queued' AND bound_at IS NOT NULL"
        )
        return [row["namespace"] for row in rows]


def known_namespaces(pool: Pool) -> list[str]:
    """Every namespace of a placement that the ledger remembers. One step in an index for each, however many rows."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "WITH RECURSIVE known (namespace) AS (SELECT min(namespace) FROM workflows UNION ALL "
            "SELECT (SELECT min(other.namespace) FROM workflows other WHERE other.namespace > known.namespace) "
            "FROM known WHERE known.namespace IS NOT NULL) "
            "SELECT namespace FROM known WHERE namespace IS NOT NULL"
        )
        return [row["namespace"] for row in rows]


def bind(pool: Pool, placement: str, *, namespace: str, name: str, uid: str) -> Placement | None:
    """Bind a row to the origin that carries its id; None if the row belongs to another origin.

    A row that has expired is queued or split again, since its origin exists after all.
    """
    return _write(
        pool,
        "SET name = %(name)s, origin_uid = %(uid)s, bound_at = coalesce(bound_at, now()), "
        "cluster = CASE WHEN state = 'expired' THEN NULL ELSE cluster END, "
        "released_at = CASE WHEN state = 'expired' THEN NULL ELSE released_at END, "
        "state = CASE WHEN state <> 'expired' THEN state WHEN EXISTS (SELECT FROM splits "
        "WHERE splits.placement = workflows.placement) THEN 'split' ELSE 'queued' END "
        "WHERE placement = %(placement)s AND namespace = %(namespace)s "
        "AND (origin_uid IS NULL OR origin_uid = %(uid)s) AND (name IS NULL OR name = %(name)s)",
        {"placement": placement, "namespace": namespace, "name": name, "uid": uid},
    )


def intend_run(pool: Pool, placement: str, run_name: str, *, cluster: str) -> Placement | None:
    """Note the run's name before it is created: a create may succeed although it seems to fail."""
    return _write(
        pool,
        "SET run_name = %(name)s WHERE placement = %(placement)s AND state = 'reserved' AND cluster = %(cluster)s",
        {"placement": placement, "name": run_name, "cluster": cluster},
    )


def dispatched(pool: Pool, placement: str, *, cluster: str, run_name: str, run_uid: str) -> Placement | None:
    """Note that the run exists. None if the row has changed meanwhile: another target, another name, or its end.

    From now on the caches that it names are where it is.
    """
    with pool.transaction() as connection:
        row = _changed(
            connection,
            "SET state = 'running', run_uid = %(uid)s, run_kept = true, dispatched_at = coalesce(dispatched_at, now()) "
            "WHERE placement = %(placement)s AND cluster = %(cluster)s AND run_name = %(name)s "
            "AND (state = 'reserved' OR (state = 'running' AND run_uid = %(uid)s))",
            {"placement": placement, "cluster": cluster, "name": run_name, "uid": run_uid},
        )
        if row is not None:
            sharing.remember(connection, row.shared, cluster)
        return row


def refused_by_target(pool: Pool, placement: str, words: str, *, cluster: str) -> Placement | None:
    """`cluster` refused the run for good: back to the queue, without that target."""
    return _write(
        pool,
        f"SET {_QUEUED_ANEW}, refused_by = refused_by || jsonb_build_object(cluster, %(words)s::text) "
        "WHERE placement = %(placement)s AND state = 'reserved' AND cluster = %(cluster)s",
        {"placement": placement, "words": storable(words), "cluster": cluster},
    )


def no_room_on_target(pool: Pool, placement: str, *, cluster: str, words: str) -> Placement | None:
    """`cluster` has no room for the run now: back to the queue; it may go to that target later."""
    return _write(
        pool,
        f"SET {_QUEUED_ANEW}, reason = %(words)s "
        "WHERE placement = %(placement)s AND state = 'reserved' AND cluster = %(cluster)s",
        {"placement": placement, "words": storable(words), "cluster": cluster},
    )


def requeued(pool: Pool, placement: str, *, reason: str) -> Placement | None:
    """Its target can't be reached, and no create was tried there: back to the queue. None if one may have been."""
    return _write(
        pool,
        f"SET {_QUEUED_ANEW}, reason = %(reason)s "
        "WHERE placement = %(placement)s AND state = 'reserved' AND run_name IS NULL",
        {"placement": placement, "reason": storable(reason)},
    )


def ended(
    pool: Pool, placement: str, *, run_uid: str | None, phase: str, message: str | None, outcome: Mapping[str, Any]
) -> Placement | None:
    """Record the end of the run with this uid (None: of a row that never had a run), and free its room.

    A second end never overwrites the first. Characters that Postgres can't store, such as in a step's output, are
    replaced.
    """
    end = storable({"phase": phase, "message": message, "outcome": dict(outcome)})
    return _write(
        pool,
        "SET state = 'ended', phase = %(phase)s, message = %(message)s, outcome = %(outcome)s, ended_at = now(), "
        "released_at = now() WHERE placement = %(placement)s AND state IN ('reserved', 'running') "
        "AND run_uid IS NOT DISTINCT FROM %(uid)s",
        {**end, "placement": placement, "uid": run_uid, "outcome": Jsonb(end["outcome"])},
    )


def lost(pool: Pool, placement: str, message: str, *, cluster: str) -> Placement | None:
    """`cluster` was forgotten: a placement there ends as Error, and one that is being deleted counts as deleted.

    An end that is known already stays. The row no longer has a target, so nothing waits for it; if the target comes
    back, the run there is a stray. None if the row is not on `cluster` any more.
    """
    return _write(
        pool,
        """SET
        phase = CASE WHEN state IN ('reserved', 'running') THEN 'Error' ELSE phase END,
        message = CASE WHEN state IN ('reserved', 'running') THEN %(message)s ELSE message END,
        reason = CASE WHEN state IN ('reserved', 'running') THEN %(message)s ELSE reason END,
        ended_at = CASE WHEN state IN ('reserved', 'running') THEN now() ELSE ended_at END,
        deleted_at = CASE WHEN state = 'deleting' THEN now() ELSE deleted_at END,
        state = CASE WHEN state = 'deleting' THEN 'deleted' ELSE 'ended' END,
        cluster = NULL, released_at = coalesce(released_at, now())
        WHERE placement = %(placement)s AND cluster = %(cluster)s
        AND state IN ('reserved', 'running', 'ended', 'deleting')""",
        {"placement": placement, "message": storable(message), "cluster": cluster},
    )


def stopped(pool: Pool, placement: str, message: str) -> Placement | None:
    """A person stopped it before its run could exist."""
    return _write(
        pool,
        "SET state = 'ended', phase = 'Failed', message = %(message)s, ended_at = now(), released_at = now() "
        "WHERE placement = %(placement)s "
        "AND (state IN ('queued', 'split') OR (state = 'reserved' AND run_name IS NULL))",
        {"placement": placement, "message": message},
    )


def reopened(pool: Pool, placement: str) -> Placement | None:
    """A person retries a run that has ended: it goes on on its target, and its room is reserved again.

    None too while a lock that it names is in use on another target.
    """
    with pool.transaction() as connection:
        if sharing.locked_elsewhere(connection, placement):
            return None
        return _changed(
            connection,
            "SET state = 'running', phase = NULL, message = NULL, mirrored = false, run_kept = true, ended_at = NULL, "
            "released_at = NULL "
            "WHERE placement = %(placement)s AND state = 'ended' AND run_uid IS NOT NULL AND cluster IS NOT NULL",
            {"placement": placement},
        )


def locked_elsewhere(pool: Pool, placement: str) -> str | None:
    """Which lock that an ended placement names is in use on another target than its own, in words; None if none is."""
    with pool.transaction() as connection:
        return sharing.locked_elsewhere(connection, placement)


def end_shown(pool: Pool, placement: str, *, run_uid: str | None) -> Placement | None:
    """Note that the origin shows the end of the run with this uid (None: of a row that never had a run)."""
    return _write(
        pool,
        "SET mirrored = true "
        "WHERE placement = %(placement)s AND state = 'ended' AND run_uid IS NOT DISTINCT FROM %(uid)s",
        {"placement": placement, "uid": run_uid},
    )


def end_hidden(pool: Pool, placement: str) -> Placement | None:
    """The origin no longer shows the end, since a person has begun it anew; it has to be shown once more."""
    return _write(
        pool, "SET mirrored = false WHERE placement = %(placement)s AND state = 'ended'", {"placement": placement}
    )


def run_let_go(pool: Pool, placement: str, *, run_uid: str | None) -> Placement | None:
    """Note that the run with this uid, whose end is known, no longer has Medea's finalizer."""
    return _write(
        pool,
        "SET run_kept = false "
        "WHERE placement = %(placement)s AND state = 'ended' AND run_uid IS NOT DISTINCT FROM %(uid)s",
        {"placement": placement, "uid": run_uid},
    )


def deleting(pool: Pool, placement: str) -> Placement | None:
    """The origin is being deleted or is gone, so the run must go. Its room stays reserved until then."""
    return _write(
        pool,
        "SET state = 'deleting' "
        "WHERE placement = %(placement)s AND state IN ('queued', 'reserved', 'running', 'split', 'ended', 'deleting')",
        {"placement": placement},
    )


def deleted(pool: Pool, placement: str) -> Placement | None:
    """The run is certainly gone."""
    return _write(
        pool,
        "SET state = 'deleted', deleted_at = now(), released_at = coalesce(released_at, now()) "
        "WHERE placement = %(placement)s AND state = 'deleting'",
        {"placement": placement},
    )


def expired(pool: Pool, placement: str) -> Placement | None:
    """The origin never appeared: nothing has run, and the room is free again."""
    return _write(
        pool,
        "SET state = 'expired', released_at = now() "
        "WHERE placement = %(placement)s AND bound_at IS NULL AND state IN ('queued', 'reserved', 'split')",
        {"placement": placement},
    )


def decisions(pool: Pool, placement: str) -> list[dict[str, Any]]:
    """Every decision about a placement, oldest first, as `Decision.as_json` wrote it."""
    with pool.transaction() as connection:
        rows = connection.execute("SELECT detail FROM decisions WHERE placement = %s ORDER BY id", (placement,))
        return [dict(mapping(row["detail"])) for row in rows]


def _one(pool: Pool, where: str, values: Sequence[Any]) -> Placement | None:
    with pool.transaction() as connection:
        row = connection.execute(f"SELECT {COLUMNS} FROM workflows WHERE {where}", values).fetchone()
    return placement_of(row) if row else None


def _write(pool: Pool, change: str, values: Mapping[str, Any]) -> Placement | None:
    """Returns the changed row; None if the write's condition did not match."""
    with pool.transaction() as connection:
        return _changed(connection, change, values)


def _changed(connection: Connection, change: str, values: Mapping[str, Any]) -> Placement | None:
    row = connection.execute(f"UPDATE workflows {change} RETURNING {COLUMNS}", values).fetchone()
    return placement_of(row) if row else None
