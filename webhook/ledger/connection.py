"""One connection to Postgres, on which nothing waits for ever; and which of its errors mean that Postgres is away."""

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from webhook.model.limits import LEDGER_CONNECT_TIMEOUT, LEDGER_PATIENCE

CONNECT: dict[str, Any] = {
    "connect_timeout": LEDGER_CONNECT_TIMEOUT,
    "application_name": "medea",
    # A server that is cut off: the kernel ends the connection, which otherwise takes it a quarter of an hour.
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": round(LEDGER_PATIENCE * 1000),
}
"""How to connect, beside the address: libpq's own words."""

_AWAY = ("08", "28", "3D", "40", "53", "55", "57", "58", "25006", "25P03", "25P04")
"""What SQLSTATEs begin with that say something of the server or the moment, and nothing of the statement: the
connection broke or was refused; a deadlock, a lock; it is full, it ends or starts, its disk fails; a standby; too late.
"""


class Connection(psycopg.Connection[DictRow]):
    """Gives up on a server that does not answer for `patience` seconds: one that is stopped still has a kernel that
    acknowledges everything, so that no timeout of the network sees it, and it can't keep to its own.
    """

    patience: float = LEDGER_PATIENCE

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, with an end. A connection that is left in the middle of an answer is closed."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def is_away(error: psycopg.Error) -> bool:
    """Whether an error means that Postgres can't be used now, rather than that it does not take what it was given."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_AWAY)
