"""The promise holds in every episode that once found something, and in some thirty of chance."""

import pytest

from tests.faults.episode import run
from tests.faults.ledger import LedgerServer
from tests.faults.schedule import FOLDER, generate, load, path_of
from webhook.ledger.connection import Connection

KEPT = sorted(path.stem for path in FOLDER.glob("*.json"))
SEEDS = range(100, 130)


@pytest.mark.parametrize("name", KEPT)
def test_what_once_went_wrong_no_longer_does(ledger: LedgerServer, name: str) -> None:
    kept = load(path_of(name))
    assert run(ledger, kept.events, kept.seed).wrong == []


def test_an_episode_is_the_same_on_a_machine_that_is_too_slow_for_medeas_patience(
    ledger: LedgerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "patience", 0.0)
    assert run(ledger, generate(SEEDS[0]), SEEDS[0]).wrong == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promise_holds_in_an_episode_of_chance(ledger: LedgerServer, seed: int) -> None:
    assert run(ledger, generate(seed), seed).wrong == []
