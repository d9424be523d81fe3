"""Connections to Postgres: one pool per process, and one error for everything that can go wrong with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from prometheus_client import Histogram
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.connection import CONNECT, Connection, is_away
from webhook.ledger.migrate import migrate
from webhook.model.limits import (
    LEDGER_BUG_RETRY,
    LEDGER_CHECK_PATIENCE,
    LEDGER_CONNECTIONS,
    LEDGER_IDLE_TIMEOUT,
    LEDGER_RETRY,
    LEDGER_STATEMENT_TIMEOUT,
    LEDGER_WAIT,
)

__all__ = ["Connection", "Pool"]
log = structlog.get_logger(__name__)
_SECONDS = Histogram(
    "medea_ledger_transaction_seconds",
    "Time of one transaction, waiting for a connection included",
    ["outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class Pool:
    """Opens in the background, so that a process can start before its Postgres does."""

    def __init__(self, dsn: str, *, size: int = LEDGER_CONNECTIONS) -> None:
        self._dsn = dsn
        self._migrated = threading.Event()
        self._stop = threading.Event()
        timeouts = {
            "statement_timeout": LEDGER_STATEMENT_TIMEOUT,
            "idle_in_transaction_session_timeout": LEDGER_IDLE_TIMEOUT,
        }
        options = " ".join(f"-c {name}={seconds}s" for name, seconds in timeouts.items())
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            connection_class=Connection,
            kwargs={**CONNECT, "row_factory": dict_row, "options": options},
            min_size=2,
            max_size=size,
            open=False,
            timeout=LEDGER_WAIT,
            reconnect_timeout=LEDGER_RETRY,
            check=_check,
            name="ledger",
        )

    def start(self) -> None:
        """Open the pool and bring the schema up to date, retrying until Postgres is there."""
        self._pool.open()
        threading.Thread(target=self._migrate, name="ledger-migrate", daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Whether the ledger became usable within `timeout` seconds."""
        return self._migrated.wait(timeout)

    def close(self) -> None:
        """Give the connections back."""
        self._stop.set()
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction. Raises LedgerUnavailable; whether a commit that failed took place is then unknown.

        That Postgres does not take what it was given is no such thing, and a bug: psycopg's own error goes through.
        """
        if not self._migrated.is_set():
            raise LedgerUnavailable("the ledger (Postgres) is not reachable yet")
        with _SECONDS.labels("any").time():
            try:
                with self._pool.connection() as connection:
                    yield connection
            except psycopg.Error as error:
                if not is_away(error):
                    raise
                raise LedgerUnavailable(f"the ledger (Postgres) did not answer: {quoted(str(error))}") from error

    def _migrate(self) -> None:
        while not self._stop.is_set():
            try:
                migrate(self._dsn)
            except LedgerUnavailable as error:
                log.warning("ledger not ready", reason=error.message)
                self._stop.wait(LEDGER_RETRY)
            except Exception:
                # Whatever it is, somebody may put it right: without this thread the process could never go on.
                log.exception("ledger can't be migrated")
                self._stop.wait(LEDGER_BUG_RETRY)
            else:
                self._migrated.set()
                return


def _check(connection: Connection) -> None:
    """Whether a connection of the pool still works, told within a second."""
    connection.patience = LEDGER_CHECK_PATIENCE
    try:
        ConnectionPool.check_connection(connection)
    finally:
        del connection.patience
