"""Brings the schema up to date with Alembic. Processes that start at the same time take turns by an advisory lock.

After every migration the code of the version before still works: columns and tables are only added, with defaults, and
what is no longer used is dropped one version later. So both versions can run during a rolling upgrade, and a rollback
only means to start the older image: it leaves a schema newer than itself as it is.
"""

from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.connection import CONNECT, Connection, is_away
from webhook.model.limits import MIGRATION_LOCK_TIMEOUT, MIGRATION_PATIENCE

log = structlog.get_logger(__name__)

_LOCK = 0x6D65646561
"""An arbitrary number that spells "medea" in ASCII."""


def migrate(dsn: str) -> None:
    """Run every migration that has not run yet. Raises LedgerUnavailable if Postgres is away."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connect(dsn), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            newer = set(MigrationContext.configure(connection).get_current_heads()) - known
            if newer:
                log.warning("the ledger's schema is of a newer Medea", revisions=sorted(newer))
            else:
                command.upgrade(config, "head")
    except psycopg.Error as error:
        raise _words(error) from error
    except DBAPIError as error:
        raise (_words(error.orig) if isinstance(error.orig, psycopg.Error) else error) from error
    finally:
        engine.dispose()


def _connect(dsn: str) -> Connection:
    connection = Connection.connect(dsn, **CONNECT, options=f"-c lock_timeout={MIGRATION_LOCK_TIMEOUT}s")
    assert isinstance(connection, Connection)
    connection.patience = MIGRATION_PATIENCE
    return connection


def _words(error: psycopg.Error) -> Exception:
    if is_away(error):
        return LedgerUnavailable(f"the ledger (Postgres) did not answer: {quoted(str(error))}")
    return error
