"""Connections to Postgres: one pool per process, and one error for everything that can go wrong with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from prometheus_client import Histogram
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.migrate import migrate

log = structlog.get_logger(__name__)
_SECONDS = Histogram(
    "medea_ledger_transaction_seconds",
    "Time of one transaction, waiting for a connection included",
    ["outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
Connection = psycopg.Connection[DictRow]

# A review may take ten seconds in all; a ledger that needs more than two is as good as away.
_WAIT = 2.0
# No statement here touches more than some thousand rows; one that runs this long hangs on a lock or a lost server.
_STATEMENT_TIMEOUT_MS = 5000
_RETRY_START = 1.0


class Pool:
    """Opens in the background, so that a process can start before its Postgres does."""

    def __init__(self, dsn: str, *, size: int = 16) -> None:
        self._dsn = dsn
        self._migrated = threading.Event()
        self._stop = threading.Event()
        options = f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=30000"
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            kwargs={"row_factory": dict_row, "options": options, "connect_timeout": 2, "application_name": "medea"},
            min_size=2,
            max_size=size,
            open=False,
            timeout=_WAIT,
            reconnect_timeout=_RETRY_START,
            check=ConnectionPool.check_connection,
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
        """One transaction. Raises LedgerUnavailable; whether a commit that failed took place is then unknown."""
        if not self._migrated.is_set():
            raise LedgerUnavailable("the ledger (Postgres) is not reachable yet")
        with _SECONDS.labels("any").time():
            try:
                with self._pool.connection() as connection:
                    yield connection
            except (psycopg.OperationalError, PoolTimeout, psycopg.InterfaceError) as error:
                raise LedgerUnavailable(f"the ledger (Postgres) did not answer: {quoted(str(error))}") from error

    def _migrate(self) -> None:
        while not self._stop.is_set():
            try:
                migrate(self._dsn)
            except psycopg.Error as error:
                log.warning("ledger not ready", reason=quoted(str(error)))
                self._stop.wait(_RETRY_START)
            else:
                self._migrated.set()
                return
