"""Runs the migrations that are missing, by Alembic. Processes that start at the same time take turns by a lock."""

import time
from pathlib import Path

import psycopg
import sqlalchemy
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from webhook.errors import LedgerUnavailable
from webhook.ledger.connection import CONNECT, Connection, in_words
from webhook.model.limits.ledger import MIGRATION_LOCK_TIMEOUT, MIGRATION_LOOK_AGAIN, MIGRATION_PATIENCE

log = structlog.get_logger(__name__)

_LOCK = 0x6D65646561
"""An arbitrary number that spells "medea" in ASCII."""


def run_missing(dsn: str) -> None:
    """Run every migration that has not run yet. Raises LedgerUnavailable if Postgres is away."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connect(dsn), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            _take_turn(connection)
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent))
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            newer = set(MigrationContext.configure(connection).get_current_heads()) - known
            # Each migration is a transaction of its own.
            connection.rollback()
            if newer:
                log.warning("the ledger's schema is of a newer Medea", revisions=sorted(newer))
            else:
                command.upgrade(config, "head")
    except psycopg.Error as error:
        raise in_words(error) from error
    except DBAPIError as error:
        raise (in_words(error.orig) if isinstance(error.orig, psycopg.Error) else error) from error
    finally:
        engine.dispose()


def _take_turn(connection: sqlalchemy.Connection) -> None:
    """Take the lock, for as long as this connection lasts. Raises LedgerUnavailable if another process has it.

    Nobody waits for it inside of Postgres: an index that is built concurrently waits until all transactions that were
    under way have ended, so whoever builds it and whoever waits for the lock would wait for each other.
    """
    until = time.monotonic() + MIGRATION_LOCK_TIMEOUT
    while True:
        taken = connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).scalar()
        connection.rollback()
        if taken:
            return
        if time.monotonic() >= until:
            raise LedgerUnavailable("another process is bringing the ledger's schema up to date")
        time.sleep(MIGRATION_LOOK_AGAIN)


def _connect(dsn: str) -> Connection:
    connection = Connection.connect(dsn, **CONNECT, options=f"-c lock_timeout={MIGRATION_LOCK_TIMEOUT}s")
    assert isinstance(connection, Connection)
    connection.patience = MIGRATION_PATIENCE
    return connection
