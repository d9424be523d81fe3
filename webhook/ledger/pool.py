"""Connections to Postgres: one pool per process, and one error for whenever Postgres can't be used."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from prometheus_client import Histogram
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from webhook.errors import LedgerBusy, LedgerUnavailable, quoted
from webhook.ledger.comeback import Comeback
from webhook.ledger.connection import CONNECT, Connection, in_words, is_away
from webhook.ledger.migrate import migrate
from webhook.model.limits.ledger import (
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
# Shown as 0 from the beginning, so that the first one counts as an increase.
_SECONDS.labels("away")


class Pool:
    """Opens in the background, so that a process can start before its Postgres does."""

    def __init__(self, dsn: str, *, size: int = LEDGER_CONNECTIONS) -> None:
        self._dsn = dsn
        self._migrated = threading.Event()
        self._stop = threading.Event()
        self._room = threading.BoundedSemaphore(size)
        self._away: str | None = None
        self._probe = threading.Lock()
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
        # The pool itself would find its broken connections one by one, and wait in between.
        self._comeback = Comeback(dsn, self._pool.drain)

    def start(self) -> None:
        """Open the pool and migrate the schema in the background, retrying until Postgres is there."""
        self._pool.open()
        threading.Thread(target=self._migrate, name="ledger-migrate", daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Whether the ledger became usable within `timeout` seconds."""
        return self._migrated.wait(timeout)

    def back_within(self, seconds: float) -> bool:
        """Whether a ledger that was just unavailable answers within `seconds`; False if there is no use in waiting."""
        return self._comeback.within(seconds)

    @property
    def given_up(self) -> bool:
        """Whether Postgres has been away for so long that nobody waits for it any more."""
        return self._comeback.given_up

    def close(self) -> None:
        """Close all connections."""
        self._stop.set()
        self._comeback.close()
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction. Raises LedgerUnavailable; it is then unknown whether the commit took place.

        A statement that Postgres refuses is a bug, so psycopg's error is passed on.
        """
        if not self._migrated.is_set():
            raise LedgerUnavailable("the ledger (Postgres) is not reachable yet")
        began, outcome = time.perf_counter(), "failed"
        try:
            with self._connection() as connection, connection:
                yield connection
            outcome = "done"
        except LedgerUnavailable:
            outcome = "away"
            raise
        except psycopg.Error as error:
            if not is_away(error):
                raise
            outcome = "away"
            raise in_words(error) from error
        finally:
            _SECONDS.labels(outcome).observe(time.perf_counter() - began)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        # psycopg's pool would keep an entry for every waiter that gave up, until a connection is free again.
        if not self._room.acquire(timeout=LEDGER_WAIT):
            raise LedgerBusy("the ledger (Postgres) is busy: all connections to it are in use")
        try:
            connection = self._taken()
            try:
                yield connection
            finally:
                self._pool.putconn(connection)
        finally:
            self._room.release()

    def _taken(self) -> Connection:
        """A connection. While Postgres is away, only one thread at a time waits for it; the others fail at once."""
        probing = self._away is not None
        if probing and not self._probe.acquire(blocking=False):
            raise LedgerUnavailable(f"the ledger (Postgres) did not answer: {self._away}")
        try:
            connection = self._pool.getconn()
        except psycopg.Error as error:
            self._away = quoted(str(error))
            raise
        else:
            self._away = None
            self._comeback.answers()
            return connection
        finally:
            if probing:
                self._probe.release()

    def _migrate(self) -> None:
        while not self._stop.is_set():
            try:
                migrate(self._dsn)
            except LedgerUnavailable as error:
                log.warning("ledger not ready", reason=error.message)
                self._stop.wait(LEDGER_RETRY)
            except Exception:
                # Somebody may fix the cause, and without this thread the process could not go on.
                log.exception("ledger can't be migrated")
                self._stop.wait(LEDGER_BUG_RETRY)
            else:
                self._migrated.set()
                return


def _check(connection: Connection) -> None:
    """Raises if a connection of the pool does not work any more, within LEDGER_CHECK_PATIENCE."""
    connection.patience = LEDGER_CHECK_PATIENCE
    try:
        ConnectionPool.check_connection(connection)
    finally:
        del connection.patience
