"""Where in the queue of its namespace a Workflow waits, in words that rarely change: powers of ten."""

from webhook.ledger.pool import Connection, Pool
from webhook.model.limits.scout import LATEST_IN_LINE

WAITING = "namespace = %(namespace)s AND state = 'queued' AND bound_at IS NOT NULL"
"""SQL condition: the row is in the queue."""
_BEFORE = " or more are queued before it"
_LONG = f"^100+{_BEFORE}$"
"""In shorter queues the lack on each target says more, at first."""


def tell_the_rest(pool: Pool, namespace: str, told: int) -> None:
    """Write to all but the first `told` rows how many are before them."""
    with pool.transaction() as connection:
        connection.execute(
            f"""
            UPDATE workflows SET reason = rest.words FROM (
                SELECT placement, power(10, floor(log(before)))::bigint || %(words)s AS words
                FROM (
                    SELECT placement, row_number() OVER (ORDER BY seq) - 1 AS before FROM workflows WHERE {WAITING}
                ) AS line WHERE before >= greatest(%(told)s, 1)
            ) AS rest
            WHERE workflows.placement = rest.placement AND state = 'queued' AND reason IS DISTINCT FROM rest.words
            """,
            {"namespace": namespace, "told": told, "words": _BEFORE},
        )


def place_of_next(connection: Connection, namespace: str) -> str:
    """The place of who comes now, as its neighbours were told theirs; empty in a short queue.

    Whoever knows it from the beginning need not be told soon: that would be a write for each Workflow, of hundreds at
    once, while others are submitted.
    """
    row = connection.execute(
        f"SELECT reason FROM (SELECT reason, seq FROM workflows WHERE {WAITING} ORDER BY seq DESC LIMIT %(latest)s) "
        "AS latest WHERE reason ~ %(long)s ORDER BY seq DESC LIMIT 1",
        {"namespace": namespace, "latest": LATEST_IN_LINE, "long": _LONG},
    ).fetchone()
    return "" if row is None else str(row["reason"])
