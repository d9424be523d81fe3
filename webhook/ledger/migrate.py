"""Brings the schema up to date, mostly by finding that it is.

After every migration the code of the version before still works: columns and tables are only added, with defaults, and
what is no longer used is dropped one version later. So both versions can run during a rolling upgrade, and a rollback
only means to start the older image: it leaves a schema newer than itself as it is.
"""

from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from webhook.ledger.connection import CONNECT, Connection, in_words

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def migrate(dsn: str) -> None:
    """Run every migration that has not run yet. Raises LedgerUnavailable if Postgres is away."""
    if _revisions(dsn) != [newest()]:
        # Alembic takes longer to import than most of Medea, and its memory stays: only who needs it pays for that.
        from webhook.ledger.migrations.run import run_missing

        run_missing(dsn)


def newest() -> str:
    """The revision of the last migration, by the names of their files."""
    return max(file.stem.removeprefix("v").partition("_")[0] for file in _VERSIONS.glob("v*.py"))


def _revisions(dsn: str) -> list[str]:
    """What the schema says that it is; nothing if there is none."""
    try:
        with Connection.connect(dsn, **CONNECT, row_factory=dict_row) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except psycopg.errors.UndefinedTable:
        return []
    except psycopg.Error as error:
        raise in_words(error) from error
    return [row["version_num"] for row in rows]
