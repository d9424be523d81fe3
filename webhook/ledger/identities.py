"""Which cluster has a target's name: the uid by which it was known first."""

from webhook.ledger.pool import Connection, Pool


def expected(pool: Pool, name: str, uid: str | None) -> str | None:
    """The uid of the cluster that has the target's name; None if there is none. The first that is told becomes it."""
    with pool.transaction() as connection:
        known = _known(connection, name)
        if known is None and uid is not None:
            connection.execute("INSERT INTO clusters (name, uid) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, uid))
            known = _known(connection, name)
        return known


def forget(pool: Pool, name: str) -> bool:
    """Let any cluster have the target's name from now on; returns whether one had it."""
    with pool.transaction() as connection:
        return connection.execute("DELETE FROM clusters WHERE name = %s", (name,)).rowcount == 1


def _known(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT uid FROM clusters WHERE name = %s", (name,)).fetchone()
    return str(row["uid"]) if row else None
