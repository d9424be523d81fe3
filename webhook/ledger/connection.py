"""A connection to Postgres that never waits for ever, and which errors mean that Postgres is away."""

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from webhook.errors import LedgerUnavailable, quoted
from webhook.model.limits.ledger import LEDGER_CONNECT_TIMEOUT, LEDGER_PATIENCE

CONNECT: dict[str, Any] = {
    "connect_timeout": LEDGER_CONNECT_TIMEOUT,
    "application_name": "medea",
    # If the server is cut off, the kernel ends the connection; by default that takes a quarter of an hour.
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": round(LEDGER_PATIENCE * 1000),
}
"""libpq's parameters for a connection, apart from the address."""

_AWAY = ("08", "28", "3D", "40", "53", "55", "57", "58", "25006", "25P03", "25P04")
"""Prefixes of SQLSTATEs that concern the server or the moment, not the statement: connection broken or refused,
deadlock or lock, server full, starting, stopping or failing, a standby, timeouts.
"""


class Connection(psycopg.Connection[DictRow]):
    """Gives up on a server that does not answer for `patience` seconds.

    A suspended server's kernel still acknowledges packets, so no network timeout fires, nor does the server's own.
    """

    patience: float = LEDGER_PATIENCE

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, but with a timeout. Closes a connection that is left in the middle of an answer."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def is_away(error: psycopg.Error) -> bool:
    """Whether an error means that Postgres can't be used now, rather than that the statement is wrong."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_AWAY)


def in_words(error: psycopg.Error) -> Exception:
    """LedgerUnavailable if Postgres can't be used now; otherwise the error itself, which is a bug."""
    if is_away(error):
        return LedgerUnavailable(f"the ledger (Postgres) did not answer: {quoted(str(error))}")
    return error
