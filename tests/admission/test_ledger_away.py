"""A submit while Postgres is away for a moment: it takes longer, and its user sees no error."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.admission.test_preflight import TAKES_IT, admission, placement_in, review, reviewed
from webhook.errors import LedgerBusy, LedgerUnavailable
from webhook.ledger import placements
from webhook.ledger.pool import Connection, Pool
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import LEDGER_BACK_NEEDS, LEDGER_TRIES


class Moody:
    """A pool whose first transactions fail."""

    def __init__(self, pool: Pool, monkeypatch: pytest.MonkeyPatch, error: LedgerUnavailable, times: int) -> None:
        self._real = pool.transaction
        self._error, self.left, self.waited = error, times, list[float]()
        self.comes_back = True
        monkeypatch.setattr(pool, "transaction", self._transaction)
        monkeypatch.setattr(pool, "back_within", self._back_within)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self.left:
            self.left -= 1
            raise self._error
        with self._real() as connection:
            yield connection

    def _back_within(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.comes_back


AWAY = LedgerUnavailable("the ledger (Postgres) did not answer: it is restarted")


def test_is_placed_when_postgres_is_back_in_time(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        moody = Moody(pool, monkeypatch, AWAY, times=1)
        answer = reviewed(asked, review(), Deadline.after(60))
    row = placements.get(pool, placement_in(answer))
    assert row is not None and row.cluster == "west"
    [waited] = moody.waited
    assert 0 < waited <= 60 - LEDGER_BACK_NEEDS


def test_is_refused_in_words_when_postgres_is_not_back_in_time(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        moody = Moody(pool, monkeypatch, AWAY, times=1)
        moody.comes_back = False
        response = reviewed(asked, review())["response"]
    assert not response["allowed"]
    told = {"code": 503, "reason": "", "message": AWAY.message}
    # argo and kubectl come again by themselves.
    assert response["status"] == {**told, "details": {"retryAfterSeconds": 1}}


def test_is_not_sent_again_when_postgres_has_been_away_for_long(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        moody = Moody(pool, monkeypatch, AWAY, times=1)
        moody.comes_back = False
        monkeypatch.setattr(Pool, "given_up", True)
        response = reviewed(asked, review())["response"]
    assert response["status"] == {"code": 503, "reason": "", "message": AWAY.message}


def test_is_not_tried_for_ever_with_a_postgres_that_answers_with_errors(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        moody = Moody(pool, monkeypatch, AWAY, times=100)
        assert not reviewed(asked, review())["response"]["allowed"]
    assert len(moody.waited) == LEDGER_TRIES - 1


def test_does_not_wait_where_all_connections_are_in_use(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        moody = Moody(pool, monkeypatch, LedgerBusy("all connections are in use"), times=1)
        assert not reviewed(asked, review())["response"]["allowed"]
    assert moody.waited == []
