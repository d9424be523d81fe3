"""What kind of Postgres the ledger is."""

import pytest

from webhook.errors import LedgerUnavailable
from webhook.ledger.about import about


def test_a_postgres_tells_its_version_and_whether_it_is_spoken_to_in_the_clear(dsn: str) -> None:
    found = about(dsn)
    assert found.version >= 14
    assert not found.encrypted


def test_one_that_is_away_is_said_with_the_reason() -> None:
    with pytest.raises(LedgerUnavailable, match="refused"):
        about("postgresql://ann:s3cret@127.0.0.1:1/medea")
