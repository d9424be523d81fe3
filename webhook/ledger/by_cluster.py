"""What the ledger knows of one target."""

from dataclasses import dataclass

from webhook.ledger.placement import SWEEP_COLUMNS, SweepRow, sweep_row_of
from webhook.ledger.pool import Pool


@dataclass(frozen=True)
class Share:
    """How many placements of a namespace are in one state on a target, and how many of them may have a run there.

    `state` is as it is written, be it known or not.
    """

    namespace: str
    state: str
    placements: int
    runs: int


def shares(pool: Pool, cluster: str) -> list[Share]:
    """What is on a target, by namespace and state, without what is gone."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT namespace, state, count(*) AS placements, count(run_name) AS runs FROM workflows "
            "WHERE cluster = %s AND state NOT IN ('deleted', 'expired') "
            "GROUP BY namespace, state ORDER BY namespace, state",
            (cluster,),
        )
        return [Share(**row) for row in rows]


def placements_on(pool: Pool, cluster: str, after: int, limit: int) -> list[SweepRow]:
    """The next `limit` rows on a target after the one with the seq `after`, without those that are gone."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {SWEEP_COLUMNS} FROM workflows WHERE cluster = %s AND seq > %s "
            "AND state NOT IN ('deleted', 'expired') ORDER BY seq LIMIT %s",
            (cluster, after, limit),
        )
        return [sweep_row_of(row) for row in rows]
