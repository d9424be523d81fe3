"""The one ledger of all episodes, on the tests' own Postgres."""

from collections.abc import Iterator

import pytest

from tests.faults.ledger import LedgerServer, prepare


@pytest.fixture(scope="session")
def ledger(dsn: str) -> Iterator[LedgerServer]:
    """A database of its own beside the others."""
    server = LedgerServer(prepare(dsn))
    yield server
    server.close()
