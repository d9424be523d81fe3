"""Which cluster has a target's name: the uid by which it was known first."""

import psycopg
from psycopg.rows import dict_row

from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.connection import CONNECT
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


def recorded(dsn: str) -> dict[str, str]:
    """The uids of all clusters that are known, by the target's name; the ledger is read as it is, and not migrated.

    Raises LedgerUnavailable with the reason if it can't be.
    """
    try:
        with psycopg.connect(dsn, **CONNECT, row_factory=dict_row) as connection:
            rows = connection.execute("SELECT name, uid FROM clusters").fetchall()
    except psycopg.errors.UndefinedTable:
        return {}
    except psycopg.Error as error:
        raise LedgerUnavailable(quoted(str(error))) from error
    return {str(row["name"]): str(row["uid"]) for row in rows}


def _known(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT uid FROM clusters WHERE name = %s", (name,)).fetchone()
    return str(row["uid"]) if row else None
