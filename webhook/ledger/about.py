"""What kind of Postgres the ledger is, without migrating it."""

from dataclasses import dataclass

import psycopg

from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.connection import CONNECT, Connection


@dataclass(frozen=True)
class About:
    """`version` is Postgres' own, such as 18; `encrypted` says whether the connection is."""

    version: int
    encrypted: bool


def about(dsn: str) -> About:
    """Connect, and look. Raises LedgerUnavailable with the reason if that fails."""
    try:
        with Connection.connect(dsn, **CONNECT) as connection:
            return About(connection.info.server_version // 10_000, connection.pgconn.ssl_in_use)
    except psycopg.Error as error:
        raise LedgerUnavailable(quoted(str(error))) from error
