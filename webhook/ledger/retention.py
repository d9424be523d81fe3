"""Keeps the ledger small: what nobody needs any more goes, a little at a time."""

from collections.abc import Callable

from webhook.ledger.connection import Connection
from webhook.ledger.pool import Pool
from webhook.model.limits import DECISIONS_KEPT, DECISIONS_LOOKED_AT

_LOCK = 2
"""Advisory: one at a time, or two might differ about whether a template is still used. Namespaces have the 1."""


def retire(pool: Pool, *, days: float, limit: int) -> int:
    """Do away with up to `limit` of each kind; returns how many, 0 when nothing is left to do.

    Rows whose origin is gone, or never came, for `days`, with their decisions. Of the decisions of others all but the
    first and the last ones. Copies of templates that a row no longer needs for itself.
    """
    steps: tuple[Callable[[Connection], int], ...] = (
        lambda connection: _delete_gone(connection, days, limit),
        lambda connection: _delete_decisions(connection, limit),
        lambda connection: _fold_templates(connection, limit),
    )
    done = 0
    for step in steps:
        with pool.transaction() as connection:
            lock = connection.execute("SELECT pg_try_advisory_xact_lock(%s, 0) AS ours", (_LOCK,)).fetchone()
            done += step(connection) if lock and lock["ours"] else 0
    return done


def _delete_gone(connection: Connection, days: float, limit: int) -> int:
    rows = connection.execute(
        "SELECT placement FROM workflows WHERE state IN ('deleted', 'expired') "
        "AND coalesce(deleted_at, released_at) < now() - make_interval(secs => %s) "
        "ORDER BY coalesce(deleted_at, released_at) LIMIT %s FOR UPDATE SKIP LOCKED",
        (days * 86400, limit),
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


def _delete_decisions(connection: Connection, limit: int) -> int:
    """Of a placement that goes to and fro. Such a one is among those decided about last."""
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
            WHERE from_first > 1 AND from_last > %(kept)s ORDER BY id LIMIT %(limit)s
        )
        """,
        {"looked_at": DECISIONS_LOOKED_AT, "kept": DECISIONS_KEPT, "limit": limit},
    ).rowcount


def _fold_templates(connection: Connection, limit: int) -> int:
    """Rows that have their run need no templates, and hold what they refer to only once from here on.

    While a row may still become a run, it keeps its own: the version of Medea before this knows no other place.
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
        (limit,),
    ).rowcount
