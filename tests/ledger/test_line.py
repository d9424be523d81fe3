"""Who waits in a queue is told how many are before it, once, and in words that hold for long."""

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, new
from tests.ledger.test_queueing import queue, reason
from webhook.ledger import line, placements, reserving
from webhook.ledger.pool import Pool
from webhook.scout.model import Decision


def test_all_but_the_first_are_told_how_many_are_before_them_in_powers_of_ten(pool: Pool) -> None:
    queue(pool, 12)
    line.tell_the_rest(pool, "ns", 2)
    assert reason(pool, "p1") == QUEUED.reason
    assert reason(pool, "p2") == reason(pool, "p9") == "1 or more are queued before it"
    assert reason(pool, "p10") == reason(pool, "p11") == "10 or more are queued before it"
    line.tell_the_rest(pool, "ns", 0)
    assert reason(pool, "p0") == QUEUED.reason


def test_a_row_whose_words_have_not_changed_is_not_written(pool: Pool) -> None:
    queue(pool, 3)
    line.tell_the_rest(pool, "ns", 1)

    def versions() -> list[str]:
        with pool.transaction() as connection:
            rows = connection.execute("SELECT xmin::text AS version FROM workflows ORDER BY seq").fetchall()
        return [row["version"] for row in rows]

    before = versions()
    line.tell_the_rest(pool, "ns", 1)
    assert versions() == before


def submit(pool: Pool, placement: str, decision: Decision = QUEUED) -> Decision:
    return reserving.admit(pool, new(placement), lambda _: decision)


def test_who_comes_to_a_long_queue_knows_its_place_at_once_and_is_not_written_to_again(pool: Pool) -> None:
    queue(pool, 102)
    # It came when nobody had a place yet, and is seen when all others have one.
    submit(pool, "late")
    line.tell_the_rest(pool, "ns", 1)
    placements.bind(pool, "late", namespace="ns", name="late", uid="late")
    assert reason(pool, "late") == QUEUED.reason
    decision = submit(pool, "next")
    assert (decision.reason, decision.place) == (QUEUED.reason, "100 or more are queued before it")
    assert reason(pool, "next") == decision.shown == decision.place
    placements.bind(pool, "next", namespace="ns", name="next", uid="next")
    line.tell_the_rest(pool, "ns", 1)
    assert reason(pool, "next") == decision.place


def test_after_its_targets_dry_run_failed_it_knows_its_place_too(pool: Pool) -> None:
    queue(pool, 102)
    line.tell_the_rest(pool, "ns", 1)
    submit(pool, "next", PLACED)
    again = reserving.preflight_refused(pool, new("next"), {"west": "no"}, lambda _: QUEUED)
    assert reason(pool, "next") == again.place == "100 or more are queued before it"


@pytest.mark.parametrize(("waiting", "decision"), [(50, QUEUED), (102, PLACED)], ids=["a short queue", "placed"])
def test_what_is_said_of_others_is_the_decisions_own_reason(pool: Pool, waiting: int, decision: Decision) -> None:
    queue(pool, waiting)
    line.tell_the_rest(pool, "ns", 1)
    assert submit(pool, "next", decision).shown == decision.reason
    assert reason(pool, "next") == decision.reason
