"""Postgres away, stopped, busy, or handed something it does not take."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

import webhook.ledger.pool as pool_module
from tests.ledger.test_placements import bound
from webhook.errors import LedgerUnavailable
from webhook.ledger import placements
from webhook.ledger.connection import Connection, is_away
from webhook.ledger.migrations.run import run_missing
from webhook.ledger.pool import Pool

PATIENCE = 1.0


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """The process as a machine that hangs has it: it has its connections, and does nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def backend(connection: Connection) -> int:
    """The server process behind a connection."""
    row = connection.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row is not None
    return int(row["pid"])


def test_a_server_that_hangs_holds_no_thread_for_ever(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", PATIENCE)
    started = time.monotonic()
    with pytest.raises(LedgerUnavailable), pool.transaction() as connection, stopped(backend(connection)):
        connection.execute("SELECT 1")
    assert time.monotonic() - started < 10 * PATIENCE
    bound(pool)


def test_a_commit_that_is_never_answered_is_given_up(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", PATIENCE)
    hangs = ExitStack()
    with hangs, pytest.raises(LedgerUnavailable), pool.transaction() as connection:
        hangs.enter_context(stopped(backend(connection)))
    bound(pool)


def test_a_connection_whose_server_hangs_is_not_handed_out(pool: Pool) -> None:
    with pool.transaction() as one:
        process = backend(one)
    with stopped(process):
        # However many connections there are: one of the next has to be that one.
        for _ in range(10):
            with pool.transaction() as connection:
                assert backend(connection) != process


def test_a_migration_on_a_server_that_hangs_is_given_up(pool: Pool, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.ledger.migrations.run.MIGRATION_LOCK_TIMEOUT", PATIENCE)
    with pool.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (0x6D65646561,))
        with pytest.raises(LedgerUnavailable):
            run_missing(dsn)


def test_a_pool_whose_connections_are_all_in_use_is_said_to_be_unavailable(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "LEDGER_WAIT", PATIENCE)
    pool = Pool(dsn, size=2)
    pool.start()
    assert pool.wait(60)
    with pool.transaction(), pool.transaction(), pytest.raises(LedgerUnavailable), pool.transaction():
        pass
    pool.close()
    with pytest.raises(LedgerUnavailable):
        placements.get(pool, "p1")


def test_while_postgres_is_away_one_waits_for_it_and_the_others_are_told_at_once(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    getconn, back, asked = ConnectionPool.getconn, threading.Event(), threading.Semaphore(0)

    def away(self: ConnectionPool[Connection], timeout: float | None = None) -> Connection:
        asked.release()
        if not back.wait(0 if first else None):
            raise PoolTimeout("none to be had")
        return getconn(self, timeout)

    monkeypatch.setattr(ConnectionPool, "getconn", away)
    first = True
    with pytest.raises(LedgerUnavailable):
        placements.get(pool, "p1")
    first = False
    assert asked.acquire(timeout=60)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(placements.get, pool, "p1")
        assert asked.acquire(timeout=60)
        for _ in range(3):
            with pytest.raises(LedgerUnavailable, match="none to be had"):
                placements.get(pool, "p1")
        assert not asked.acquire(blocking=False)
        back.set()
        assert waits.result(60) is None
    assert placements.get(pool, "p1") is None


def test_who_waits_for_a_busy_pool_does_not_count_as_an_outage(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "LEDGER_WAIT", 1.0)
    pool = Pool(dsn, size=2)
    pool.start()
    assert pool.wait(60)
    with pool.transaction():
        with pool.transaction(), pytest.raises(LedgerUnavailable, match="busy"), pool.transaction():
            pass
        with pool.transaction():
            pass
    pool.close()


def test_a_statement_that_waits_for_a_lock_too_long_is_an_outage(
    pool: Pool, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "LEDGER_STATEMENT_TIMEOUT", PATIENCE)
    hasty = Pool(dsn, size=2)
    hasty.start()
    assert hasty.wait(60)
    bound(pool)
    with pool.transaction() as connection:
        connection.execute("SELECT 1 FROM workflows WHERE placement = 'p1' FOR UPDATE")
        with pytest.raises(LedgerUnavailable):
            placements.deleting(hasty, "p1")
    hasty.close()
    assert placements.deleting(pool, "p1") is not None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT '\\x00'::jsonb",
        # An index holds no name of this length, whatever moment it is.
        "INSERT INTO workflows (placement, state, namespace, cpu_milli, memory_bytes, policy, identity, original) "
        "SELECT string_agg(md5(n::text), ''), 'queued', 'ns', 0, 0, '', '', '{}' FROM generate_series(1, 1000) n",
        "SELECT nothing FROM workflows",
    ],
)
def test_what_postgres_does_not_take_is_no_outage(pool: Pool, statement: str) -> None:
    with pytest.raises(psycopg.Error) as raised, pool.transaction() as connection:
        connection.execute(statement)
    assert not is_away(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.AdminShutdown,
        psycopg.errors.CannotConnectNow,
        psycopg.errors.DiskFull,
        psycopg.errors.TooManyConnections,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.LockNotAvailable,
        psycopg.errors.QueryCanceled,
        psycopg.errors.ReadOnlySqlTransaction,
        psycopg.errors.IdleInTransactionSessionTimeout,
        psycopg.errors.IoError,
        psycopg.errors.InvalidPassword,
        psycopg.errors.InvalidCatalogName,
        psycopg.OperationalError,
        psycopg.InterfaceError,
    ],
)
def test_what_says_something_of_the_server_is_an_outage(error: type[psycopg.Error]) -> None:
    assert is_away(error())
