"""Whatever dies, hangs or is lost: no item of a split Workflow is lost, and none runs twice."""

import pytest

from tests.faults.ledger import LedgerServer
from tests.splitting.episodes import run


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_item_is_lost_and_none_runs_twice(ledger: LedgerServer, seed: int) -> None:
    assert run(ledger, seed) == []
