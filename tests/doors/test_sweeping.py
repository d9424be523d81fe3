"""What a sweep removes, one after the other: each gets its turn, however long others take."""

from dataclasses import dataclass

import pytest

from webhook.doors.sweeping import Removal
from webhook.errors import ClusterUnavailable, LedgerUnavailable, MedeaError, StoreUnavailable


@dataclass(frozen=True)
class Job:
    """One that is marked."""

    id: int


class Rows:
    """Jobs that are marked, of which some can't be removed."""

    def __init__(self, count: int, failing: dict[int, MedeaError]) -> None:
        self.left = list(range(1, count + 1))
        self.tried: list[int] = []
        self.failing = failing
        self.removal = Removal(self._marked, lambda job: job.id, self._remove)

    def _marked(self, after: int) -> list[Job]:
        return [Job(number) for number in self.left if number > after][:2]

    def _remove(self, job: Job) -> None:
        self.tried.append(job.id)
        if job.id in self.failing:
            raise self.failing[job.id]
        self.left.remove(job.id)


AWAY = StoreUnavailable("it did not answer")


@pytest.mark.parametrize("error", [AWAY, ClusterUnavailable("it did not answer")])
def test_all_others_are_removed_and_the_failure_is_told_in_the_end(error: MedeaError) -> None:
    rows = Rows(5, {1: error, 2: error})
    with pytest.raises(type(error)):
        rows.removal.go_on(60)
    assert (rows.left, rows.tried) == ([1, 2], [1, 2, 3, 4, 5])
    rows.failing.clear()
    rows.removal.go_on(60)
    assert rows.left == []


def test_one_that_takes_all_the_time_does_not_have_the_next_turn_too() -> None:
    rows = Rows(3, {1: AWAY})
    with pytest.raises(StoreUnavailable):
        rows.removal.go_on(0)
    for _ in range(2):
        rows.removal.go_on(0)
    assert (rows.left, rows.tried) == ([1], [1, 2, 3])
    rows.failing.clear()
    for _ in range(2):
        rows.removal.go_on(0)
    assert rows.left == []


def test_nothing_more_is_tried_while_the_ledger_is_away() -> None:
    rows = Rows(3, {1: LedgerUnavailable("it did not answer")})
    with pytest.raises(LedgerUnavailable):
        rows.removal.go_on(60)
    assert rows.tried == [1]
