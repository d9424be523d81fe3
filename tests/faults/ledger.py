"""The real ledger on a real Postgres, with a clock that is told, and faults at the ends of its transactions."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from tests.faults.network import LEDGER, Network
from tests.support.fake_clock import FakeClock
from webhook.errors import LedgerUnavailable, quoted
from webhook.ledger.connection import Connection, is_away
from webhook.ledger.migrate import migrate
from webhook.ledger.pool import Pool
from webhook.model.limits.ledger import LEDGER_LOOK_AGAIN

_DATABASE = "faults"
_PATIENCE = 600.0
# Of the database, so that it holds however somebody connects. The clock's schema comes before pg_catalog: every `now()`
# of the ledger is the episode's.
_SETTINGS = ("search_path = fake, pg_catalog, public", "synchronous_commit = off", "medea.now = '0'")
_CLOCK = """
    CREATE SCHEMA fake;
    CREATE FUNCTION fake.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS $$ SELECT pg_catalog.to_timestamp(pg_catalog.current_setting('medea.now')::float8) $$;
    CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT fake.now() $$;
"""


def prepare(dsn: str) -> str:
    """Make a database for episodes on this server, with the schema in it; returns how to reach it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE}")
        connection.execute(f"CREATE DATABASE {_DATABASE}")
        for setting in _SETTINGS:
            connection.execute(f"ALTER DATABASE {_DATABASE} SET {setting}")
    own = make_conninfo(dsn, dbname=_DATABASE)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(_CLOCK)
    migrate(own)
    return own


class LedgerServer:
    """One Postgres for all processes of an episode, emptied for each."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.connection = self.connect()
        found = self.connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'fake'")
        self._tables = [row["tablename"] for row in found if row["tablename"] != "alembic_version"]

    def empty(self) -> None:
        """Forget everything."""
        self.connection.execute(f"TRUNCATE {', '.join(self._tables)} RESTART IDENTITY CASCADE")

    def connect(self) -> Connection:
        """A connection for one process."""
        made: Connection = Connection.connect(self._dsn, row_factory=dict_row, autocommit=True)
        # The machine's clock is not the episode's: however slow the machine, a seed gives the same episode.
        made.patience = _PATIENCE
        return made

    def close(self) -> None:
        """Give everything back."""
        self.connection.close()


class FaultyPool(Pool):
    """A process' way to the ledger: one connection, since a process of an episode does one thing at a time."""

    def __init__(self, connection: Connection, clock: FakeClock, network: Network) -> None:
        self._session, self._clock, self._network = connection, clock, network
        self._told: float | None = None

    def start(self) -> None:
        """The schema is there already."""

    def wait(self, timeout: float) -> bool:
        """It is usable."""
        return timeout >= 0

    def close(self) -> None:
        """The connection is the episode's."""

    def back_within(self, seconds: float) -> bool:
        """It is back at once, if there is any time at all."""
        self._clock.advance(LEDGER_LOOK_AGAIN)
        return seconds > LEDGER_LOOK_AGAIN

    @property
    def given_up(self) -> bool:
        """It comes back."""
        return False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As the real one: LedgerUnavailable when it is refused, or carried out and nobody knows."""
        kind = self._network.before(LEDGER, "transaction", "transaction")
        if kind in ("hang", "lose"):
            self._clock.advance(2.0)
        if kind is not None and kind not in ("lose", "reset", "garbage"):
            raise LedgerUnavailable("the ledger (Postgres) did not answer: the fault says so")
        try:
            self._tell_the_time()
            with self._session.transaction():
                yield self._session
        except psycopg.Error as error:
            if not is_away(error):
                raise
            raise LedgerUnavailable(f"the ledger (Postgres) did not answer: {quoted(str(error))}") from error
        self._network.after(LEDGER, "transaction", "transaction")
        if kind is not None:
            raise LedgerUnavailable("the ledger (Postgres) did not answer: its commit was lost on the way back")

    def _tell_the_time(self) -> None:
        now = self._clock.true_time()
        if now != self._told:
            self._session.execute("SELECT set_config('medea.now', %s, false)", (str(now),))
            self._told = now
