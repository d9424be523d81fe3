"""What live reservations hold of every kind of quota, as the ledger sums it up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from unittest.mock import patch

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, promised, queueing, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.queueing import Choices
from webhook.model.limits.scout import CLAIMS_MADE
from webhook.scout.limits import Held, Holders, Limit
from webhook.scout.model import Decision, Quotas, plain_demands
from webhook.totals.demands import Demands, Traits, one_kind
from webhook.totals.model import GIB, Totals

ONE, THREE = one_kind({"pods": 1}), one_kind({"pods": 3}, traits=Traits(priority="high")).holding({"": {"x": 1}})


@pytest.fixture(autouse=True)
def _nothing_in_mind() -> Iterator[None]:
    with patch.dict(promised._known, clear=True):
        yield


def admit(pool: Pool, name: str, demands: Demands | None) -> None:
    reserving.admit(pool, replace(new(name), demands=demands), lambda _: PLACED)
    placements.bind(pool, name, namespace="ns", name=f"job-{name}", uid=name)


def held(pool: Pool) -> Held:
    reserved, _ = queueing.glance(pool, "ns", with_demands=True)
    return reserved["west"].held


def test_reservations_of_one_kind_are_counted_together_and_ended_ones_no_more(pool: Pool) -> None:
    for number in range(4):
        admit(pool, f"p{number}", THREE if number else ONE)
    assert held(pool) == {ONE: Holders(1, 1, 1), THREE: Holders(3, 3, 3)}
    placements.ended(pool, "p1", run_uid=None, phase="Failed", message=None, outcome={})
    assert held(pool) == {ONE: Holders(1, 1, 1), THREE: Holders(2, 2, 2)}
    # Once in mind, its text is not read again.
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET demands = NULL")
    assert held(pool) == {ONE: Holders(1, 1, 1), THREE: Holders(2, 2, 2)}


def test_a_run_that_exists_holds_no_further_object_and_its_claims_after_a_while(pool: Pool) -> None:
    admit(pool, "p1", THREE)
    placements.intend_run(pool, "p1", "job", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job", run_uid="r1")
    assert held(pool) == {THREE: Holders(1, 0, 1)}
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET dispatched_at = now() - make_interval(secs => %s)", (CLAIMS_MADE + 1,))
    assert held(pool) == {THREE: Holders(1, 0, 0)}


def test_rows_of_the_version_before_hold_their_cpu_and_memory(pool: Pool) -> None:
    admit(pool, "p1", None)
    admit(pool, "p2", None)
    admit(pool, "p3", ONE)
    row = placements.get(pool, "p1")
    assert row is not None and row.demands is None
    total = plain_demands(Totals(2 * row.totals.cpu_milli, 2 * row.totals.memory_bytes))
    assert held(pool) == {total: Holders(all=1), ONE: Holders(1, 1, 1)}


def test_nobody_reads_demands_where_no_limit_needs_them(pool: Pool) -> None:
    admit(pool, "p1", ONE)
    reserved, _ = queueing.glance(pool, "ns")
    assert reserved["west"].held == {}


def test_a_row_keeps_its_demands_and_a_sample_is_compared_with_them(pool: Pool) -> None:
    admit(pool, "p1", THREE)
    row = placements.get(pool, "p1")
    assert row is not None and row.demands == THREE
    placements.intend_run(pool, "p1", "job", cluster="west")
    [run] = reserving.runs_seen(pool, "ns", 0.0, now=1.0, with_demands=True)
    assert run.demands == THREE
    [run] = reserving.runs_seen(pool, "ns", 0.0, now=1.0)
    assert run.demands == plain_demands(run.totals)


def test_demands_of_a_version_to_come_read_as_unknown(pool: Pool) -> None:
    admit(pool, "p1", ONE)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET demands = '{\"groups\": [1]}'")
    row = placements.get(pool, "p1")
    assert row is not None and row.demands is None
    assert held(pool) == {}


def test_a_gang_that_never_fits_a_limit_does_not_wait_for_it_and_an_elastic_one_with_the_same_demands_does(
    pool: Pool,
) -> None:
    demands = one_kind({"pods": 3}, {"pods": 1})
    for name, largest in (("gang", None), ("wide", Totals(1, 1))):
        reserving.admit(pool, replace(new(name), demands=demands, largest_pod=largest), lambda _: QUEUED)
        placements.bind(pool, name, namespace="ns", name=f"job-{name}", uid=name)
    seen: list[str] = []

    def note(_: object, batch: Sequence[Placement], __: object) -> Choices:
        seen.extend(row.placement for row in batch)
        return Choices({}, {})

    tight = Quotas(Totals(99_000, 99 * GIB), (Limit("q", "pods", 2, 0),))
    queueing.serve(pool, "ns", note, waiting_for={"west": tight})
    assert seen == ["wide"]


def test_what_a_wide_one_holds_of_cpu_and_memory_is_what_was_reserved(pool: Pool) -> None:
    room = Totals(700, GIB)
    wide = replace(new("wide"), totals=Totals(2000, 2 * GIB), largest_pod=Totals(100, 1))
    reserving.admit(pool, wide, lambda _: replace(PLACED, reserved=room))
    reserving.admit(pool, replace(new("other"), demands=ONE), lambda _: PLACED)
    placements.intend_run(pool, "wide", "job", cluster="west")
    reserved, _ = queueing.glance(pool, "ns", with_demands=True)
    assert reserved["west"].totals == room + new("other").totals
    assert reserved["west"].held == {plain_demands(room): Holders(all=1), ONE: Holders(1, 1, 1)}
    [run] = reserving.runs_seen(pool, "ns", 0.0, now=1.0, with_demands=True)
    assert (run.totals, run.demands) == (room, plain_demands(room))


def test_who_never_fits_a_limit_of_a_target_does_not_wait_for_it(pool: Pool) -> None:
    bound(pool, QUEUED, "p1")
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET demands = %s, demands_key = %s", (THREE.text, THREE.key))
    hard = Totals(99_000, 99 * GIB)
    roomy, tight = Quotas(hard, (Limit("q", "pods", 3, 3),)), Quotas(hard, (Limit("q", "pods", 2, 0),))
    found: list[frozenset[str]] = []
    seen: list[list[str]] = []

    def note(_: object, batch: Sequence[Placement], __: object) -> Choices:
        seen.append([row.placement for row in batch])
        return Choices({}, {})

    def ask(waiting: reserving.Held) -> Decision:
        found.append(waiting.claimed({"west": roomy, "east": tight}))
        return QUEUED

    reserving.peek(pool, "ns", ask)
    assert found == [frozenset({"west"})]
    for target in (roomy, tight):
        queueing.serve(pool, "ns", note, waiting_for={"west": target})
    assert seen == [["p1"], []]
