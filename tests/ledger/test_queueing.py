"""The queue is served in order, a batch at a time, and no row of it stands in the way of another."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.queueing import Choices
from webhook.model.contract import State
from webhook.scout.model import Promised, Quotas
from webhook.totals.model import GIB, Totals

Seen = list[list[str]]


def placing(*names: str, seen: Seen | None = None) -> queueing.Choose:
    """Place those of `names`, note who was looked at."""

    def choose(_: Mapping[str, Promised], batch: Sequence[Placement], __: object) -> Choices:
        if seen is not None:
            seen.append([row.placement for row in batch])
        return Choices({row.placement: PLACED for row in batch if row.placement in names}, {})

    return choose


def reason(pool: Pool, placement: str) -> str | None:
    row = placements.get(pool, placement)
    assert row is not None
    return row.reason


def queue(pool: Pool, count: int) -> None:
    for number in range(count):
        bound(pool, QUEUED, f"p{number}")


def test_the_queue_is_read_in_the_order_of_arrival_batch_by_batch(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "QUEUE_BATCH", 2)
    queue(pool, 5)
    reserving.admit(pool, new("without an origin"), lambda _: QUEUED)
    seen: Seen = []
    after: int | None = 0
    while after is not None:
        after = queueing.serve(pool, "ns", placing(seen=seen), after=after).next_after
    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]


def test_who_is_placed_leaves_with_a_decision_and_a_reservation(pool: Pool) -> None:
    queue(pool, 3)
    served = queueing.serve(pool, "ns", placing("p0", "p2"))
    assert [(row.placement, decision.cluster) for row, decision in served.left] == [("p0", "west"), ("p2", "west")]
    row = placements.get(pool, "p2")
    assert row is not None
    assert (row.state, row.cluster, row.reason) == (State.RESERVED, "west", PLACED.reason)
    assert row.placed_at is not None
    assert [one["outcome"] for one in placements.decisions(pool, "p2")] == ["queued", "placed"]
    reserved, waiting = queueing.glance(pool, "ns")
    assert reserved == {"west": Promised(row.totals + row.totals)}
    assert waiting.count == 1


def test_who_was_stopped_while_it_was_decided_about_is_not_placed(pool: Pool) -> None:
    queue(pool, 2)

    def stop_it_meanwhile(_: Mapping[str, Promised], batch: Sequence[Placement], __: object) -> Choices:
        placements.stopped(pool, "p0", "Stopped with strategy 'Stop'")
        return Choices({row.placement: PLACED for row in batch}, {})

    served = queueing.serve(pool, "ns", stop_it_meanwhile)
    assert [row.placement for row, _ in served.left] == ["p1"]
    row = placements.get(pool, "p0")
    assert row is not None and row.state is State.ENDED
    assert len(placements.decisions(pool, "p0")) == 1


def test_a_row_that_cannot_be_read_keeps_nobody_waiting(pool: Pool) -> None:
    queue(pool, 2)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET hold = 'of a newer Medea' WHERE placement = 'p0'")
    served = queueing.serve(pool, "ns", placing("p1"))
    assert [row.placement for row, _ in served.left] == ["p1"]


def test_two_queues_that_look_alike_from_outside_hold_the_same_rows(pool: Pool) -> None:
    queue(pool, 3)
    _, before = queueing.glance(pool, "ns")
    queueing.serve(pool, "ns", placing("p1"))
    bound(pool, QUEUED, "p3")
    _, after = queueing.glance(pool, "ns")
    assert before.count == after.count
    assert before != after
    assert queueing.glance(pool, "empty")[1] == queueing.Waiting(0, Decimal(0))


def test_reasons_in_words_that_postgres_cannot_hold_are_told_without_them(pool: Pool) -> None:
    queue(pool, 1)
    queueing.serve(pool, "ns", lambda *_: Choices({}, {"p0": "west: \x00"}))
    assert reason(pool, "p0") == "west: \ufffd"


def test_those_who_wait_for_none_of_the_targets_in_question_are_skipped(pool: Pool) -> None:
    queue(pool, 2)
    reserving.admit(pool, replace(new("p2"), only_clusters=None), lambda _: QUEUED)
    placements.bind(pool, "p2", namespace="ns", name="job-p2", uid="p2")
    seen: Seen = []
    for quotas in ({"west": Totals(1000, GIB)}, {"east": Totals(1000, GIB)}, {"west": Totals(999, GIB)}, {}):
        queueing.serve(
            pool, "ns", placing(seen=seen), waiting_for={name: Quotas(hard) for name, hard in quotas.items()}
        )
    assert seen == [["p0", "p1", "p2"], ["p2"], [], []]
