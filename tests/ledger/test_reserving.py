"""Room is promised once, however many decide at the same time."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.model.contract import State
from webhook.scout.model import NOTHING_PROMISED, Decision, Outcome, Quotas
from webhook.totals.model import GIB, Totals

ROOM = 7
ONE = Totals(1000, GIB)


def first_come(held: Held) -> Decision:
    """Room for seven."""
    return PLACED if held.reserved.get("west", NOTHING_PROMISED).totals.cpu_milli < ROOM * 1000 else QUEUED


def held_in(pool: Pool, **targets: Totals) -> tuple[Mapping[str, Totals], int, frozenset[str]]:
    """What a decision made now must respect: reservations, those without an origin, and claims on `targets`."""
    seen: list[tuple[Mapping[str, Totals], int, frozenset[str]]] = []

    def note(held: Held) -> Decision:
        quotas = {name: Quotas(hard) for name, hard in targets.items()}
        seen.append(({name: one.totals for name, one in held.reserved.items()}, held.unbound, held.claimed(quotas)))
        return QUEUED

    reserving.peek(pool, "ns", note)
    return seen[0]


def test_threads_of_two_replicas_never_promise_the_same_room_twice(pool: Pool, dsn: str) -> None:
    other = Pool(dsn, size=8)
    other.start()
    assert other.wait(60)
    with ThreadPoolExecutor(12) as threads:
        jobs = [
            threads.submit(reserving.admit, pool if number % 2 else other, new(f"p{number}"), first_come)
            for number in range(40)
        ]
        outcomes = [job.result().outcome for job in jobs]
    other.close()
    assert outcomes.count(Outcome.PLACED) == ROOM
    assert outcomes.count(Outcome.QUEUED) == 40 - ROOM


def test_reservations_are_read_as_a_sum_for_each_target(pool: Pool) -> None:
    bound(pool)
    bound(pool, placement="p2")
    bound(pool, replace(PLACED, cluster="east"), "p3")
    reserving.admit(pool, new("p4"), lambda _: PLACED)
    placements.ended(pool, "p2", run_uid=None, phase="Failed", message=None, outcome={})
    reserved, unbound, _ = held_in(pool)
    assert reserved == {"west": ONE + ONE, "east": ONE}
    assert unbound == 1


def test_a_workflow_whose_origin_may_never_appear_keeps_nobody_waiting(pool: Pool) -> None:
    reserving.admit(pool, new("p0"), lambda _: QUEUED)
    assert held_in(pool, west=ONE)[2] == frozenset()
    bound(pool, QUEUED, "p1")
    assert held_in(pool, west=ONE)[2] == {"west"}


@pytest.mark.parametrize(("cpu", "memory"), [(999, GIB), (1000, GIB - 1)])
def test_who_waits_claims_no_target_on_which_it_can_never_fit(pool: Pool, cpu: int, memory: int) -> None:
    bound(pool, QUEUED)
    assert held_in(pool, west=Totals(cpu, memory))[2] == frozenset()


def test_who_waits_claims_no_target_that_it_was_not_asked_for_or_that_refused_it(pool: Pool) -> None:
    asked_for = replace(new("p1"), only_clusters=("west", "east"))
    reserving.admit(pool, asked_for, lambda _: PLACED)
    placements.bind(pool, "p1", namespace="ns", name="job", uid="u")
    placements.refused_by_target(pool, "p1", "no such namespace", cluster="west")
    assert held_in(pool, west=ONE, east=ONE, north=ONE)[2] == {"east"}


def test_runs_that_a_sample_may_show_are_the_live_ones_and_those_released_since(pool: Pool) -> None:
    for number in range(3):
        bound(pool, placement=f"p{number}")
        placements.intend_run(pool, f"p{number}", f"job-p{number}", cluster="west")
    bound(pool, placement="p3")
    for number, ago in ((1, 1000), (2, 2000)):
        with pool.transaction() as connection:
            connection.execute(
                "UPDATE workflows SET released_at = now() - make_interval(secs => %s) WHERE placement = %s",
                (ago, f"p{number}"),
            )
    seen = {one.placement: one.released_at for one in reserving.runs_seen(pool, "ns", 3500.0, now=5000.0)}
    assert seen == {"p0": None, "p1": pytest.approx(4000.0, abs=60)}


def test_a_second_create_of_a_name_gives_back_what_the_first_holds_and_has_no_origin_for(pool: Pool) -> None:
    bound(pool, placement="p0")
    for number in range(1, 4):
        reserving.admit(pool, new(f"p{number}", name="job"), lambda _: PLACED)
    reserved, unbound, _ = held_in(pool)
    assert (reserved, unbound) == ({"west": ONE + ONE}, 1)
    late = placements.bind(pool, "p1", namespace="ns", name="job", uid="u")
    assert late is not None and late.state is State.QUEUED


def test_a_target_that_refuses_before_the_origin_exists_gives_its_room_back_at_once(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    seen: list[int] = []

    def east(held: Held) -> Decision:
        seen.append(len(held.reserved))
        return replace(PLACED, cluster="east")

    reserving.preflight_refused(pool, new(), {"west": "no\x00"}, east)
    row = placements.get(pool, "p1")
    assert seen == [0]
    assert row is not None and (row.cluster, row.refused_by) == ("east", {"west": "no\ufffd"})


def test_who_lost_its_room_to_a_second_create_and_is_given_another_holds_that(pool: Pool) -> None:
    first = new("p1", name="job")
    reserving.admit(pool, first, lambda _: PLACED)
    reserving.admit(pool, new("p2", name="job"), lambda _: QUEUED)
    reserving.preflight_refused(pool, first, {"west": "no"}, lambda _: replace(PLACED, cluster="east"))
    late = placements.bind(pool, "p1", namespace="ns", name="job", uid="u")
    assert late is not None and (late.state, late.cluster) == (State.RESERVED, "east")
    assert held_in(pool)[0] == {"east": ONE}


def test_a_placement_that_every_target_refused_is_forgotten(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    refused = replace(PLACED, outcome=Outcome.REFUSED, cluster=None)
    reserving.preflight_refused(pool, new(), {"west": "no"}, lambda _: refused)
    assert placements.get(pool, "p1") is None
