"""Keeps the ledger small: deletes what nobody needs any more, a little at a time."""

from collections.abc import Callable
from functools import partial

from webhook.ledger import sharing
from webhook.ledger.connection import Connection
from webhook.ledger.pool import Pool
from webhook.model.limits.ledger import DECISIONS_KEPT, DECISIONS_LOOKED_AT, RETIRE_BATCH

_LOCK = 2
"""Advisory lock: two processes at once could disagree about whether a template is still used. Namespaces use 1."""


def retire(pool: Pool, *, days: float, limit: int) -> int:
    """Delete or fold up to `limit` of each of five kinds; returns how many in total, 0 if nothing is left to do.

    Rows whose origin has been gone, or missing, for `days`, with their decisions. Where a cache is that nothing has
    been placed for in as many. Jobs that are older, and whose Workflow is forgotten. Of other rows all decisions but
    the first and the last ones. Templates that each row keeps for itself, which are then stored once.
    """
    return sum(
        (
            _in_batches(pool, limit, partial(_delete_gone, days=days)),
            _one(pool, partial(_delete_jobs, days=days, most=limit)),
            _one(pool, partial(sharing.forget, days=days, most=limit)),
            _one(pool, partial(_delete_decisions, most=limit)),
            _in_batches(pool, limit, _fold_templates),
        )
    )


def _in_batches(pool: Pool, limit: int, step: Callable[..., int]) -> int:
    """A row may have megabytes, so each transaction handles only a few."""
    done = 0
    while done < limit:
        batch = min(RETIRE_BATCH, limit - done)
        dealt_with = _one(pool, partial(step, most=batch))
        done += dealt_with
        if dealt_with < batch:
            break
    return done


def _one(pool: Pool, step: Callable[[Connection], int]) -> int:
    with pool.transaction() as connection:
        lock = connection.execute("SELECT pg_try_advisory_xact_lock(%s, 0) AS ours", (_LOCK,)).fetchone()
        return step(connection) if lock and lock["ours"] else 0


def _delete_gone(connection: Connection, *, days: float, most: int) -> int:
    rows = connection.execute(
        "SELECT placement FROM workflows WHERE state IN ('deleted', 'expired') "
        "AND coalesce(deleted_at, released_at) < now() - make_interval(secs => %s) "
        "ORDER BY coalesce(deleted_at, released_at) LIMIT %s FOR UPDATE SKIP LOCKED",
        (days * 86400, most),
    )
    doomed = [row["placement"] for row in rows]
    rows = connection.execute("SELECT DISTINCT hash FROM workflow_templates WHERE placement = ANY(%s)", (doomed,))
    hashes = [row["hash"] for row in rows]
    connection.execute("DELETE FROM workflows WHERE placement = ANY(%s)", (doomed,))
    connection.execute(
        "DELETE FROM templates WHERE hash = ANY(%s) "
        "AND NOT EXISTS (SELECT FROM workflow_templates WHERE workflow_templates.hash = templates.hash)",
        (hashes,),
    )
    return len(doomed)


def _delete_jobs(connection: Connection, *, days: float, most: int) -> int:
    return connection.execute(
        "DELETE FROM power_jobs WHERE id IN (SELECT id FROM power_jobs "
        "WHERE created_at < now() - make_interval(secs => %s) AND NOT EXISTS (SELECT FROM workflows "
        "WHERE workflows.namespace = power_jobs.namespace AND workflows.name = power_jobs.workflow) "
        "ORDER BY created_at LIMIT %s)",
        (days * 86400, most),
    ).rowcount


def _delete_decisions(connection: Connection, *, most: int) -> int:
    """Thin out decisions. Placements with many were decided about recently, so only the latest ones are looked at."""
    return connection.execute(
        """
        DELETE FROM decisions WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY placement ORDER BY id) AS from_first,
                       row_number() OVER (PARTITION BY placement ORDER BY id DESC) AS from_last
                FROM decisions WHERE placement IN (
                    SELECT placement FROM (SELECT placement FROM decisions ORDER BY id DESC LIMIT %(looked_at)s) AS last
                )
            ) AS numbered
            WHERE from_first > 1 AND from_last > %(kept)s ORDER BY id LIMIT %(most)s
        )
        """,
        {"looked_at": DECISIONS_LOOKED_AT, "kept": DECISIONS_KEPT, "most": most},
    ).rowcount


def _fold_templates(connection: Connection, *, most: int) -> int:
    """Move the templates of rows that have their run into a table that stores each template once.

    Rows without a run keep their own: the previous version of Medea reads them only there.
    """
    return connection.execute(
        """
        WITH picked AS MATERIALIZED (
            SELECT placement, original FROM workflows
            WHERE NOT folded AND state IN ('running', 'ended', 'deleting') ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED
        ), parts AS MATERIALIZED (
            SELECT placement, position, body, encode(sha256(convert_to(body::text, 'UTF8')), 'hex') AS hash
            FROM picked, jsonb_array_elements(
                CASE jsonb_typeof(original -> 'templates') WHEN 'array' THEN original -> 'templates' ELSE '[]' END
            ) WITH ORDINALITY AS inside (body, position)
        ), bodies AS (
            INSERT INTO templates SELECT DISTINCT ON (hash) hash, body FROM parts ORDER BY hash ON CONFLICT DO NOTHING
        ), marks AS (
            INSERT INTO workflow_templates SELECT placement, position, hash FROM parts
        )
        UPDATE workflows SET folded = true, original = workflows.original - 'templates'
        FROM picked WHERE workflows.placement = picked.placement
        """,
        (most,),
    ).rowcount
