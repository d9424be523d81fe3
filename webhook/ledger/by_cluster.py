"""What the ledger knows about one target."""

from dataclasses import dataclass

from webhook.ledger.placement import SWEEP_COLUMNS, SweepRow, sweep_row_of
from webhook.ledger.pool import Pool


@dataclass(frozen=True)
class Share:
    """How many placements of a namespace are in one state on a target, and how many of these may have a run there.

    `state` is the raw value, which this version of Medea may not know.
    """

    namespace: str
    state: str
    placements: int
    runs: int


def shares(pool: Pool, cluster: str) -> list[Share]:
    """The placements on a target, counted by namespace and state; those that are gone are left out."""
    with pool.transaction() as connection:
        rows = connection.execute(
            "SELECT namespace, state, count(*) AS placements, count(run_name) AS runs FROM workflows "
            "WHERE cluster = %s AND state NOT IN ('deleted', 'expired') "
            "GROUP BY namespace, state ORDER BY namespace, state",
            (cluster,),
        )
        return [Share(**row) for row in rows]


def placements_on(pool: Pool, cluster: str, after: int, limit: int) -> list[SweepRow]:
    """The next `limit` rows of a target with a `seq` above `after`; those that are gone are left out."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {SWEEP_COLUMNS} FROM workflows WHERE cluster = %s AND seq > %s "
            "AND state NOT IN ('deleted', 'expired') ORDER BY seq LIMIT %s",
            (cluster, after, limit),
        )
        return [sweep_row_of(row) for row in rows]
