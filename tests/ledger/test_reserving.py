"""Room is promised once, however many decide at the same time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.model.contract import State
from webhook.scout.model import Decision, Outcome

ROOM = 7


def first_come(held: Held) -> Decision:
    """Room for seven."""
    live = [one for one in held.reservations if one.released_at is None]
    return PLACED if len(live) < ROOM else QUEUED


def held_in(pool: Pool) -> Held:
    """What a decision made now would have to respect."""
    seen: list[Held] = []

    def note(held: Held) -> Decision:
        seen.append(held)
        return QUEUED

    reserving.peek(pool, "ns", note)
    return seen[0]


def test_threads_of_two_replicas_never_promise_the_same_room_twice(pool: Pool, dsn: str) -> None:
    other = Pool(dsn, size=8)
    other.start()
    assert other.wait(20)
    with ThreadPoolExecutor(12) as threads:
        jobs = [
            threads.submit(reserving.admit, pool if number % 2 else other, new(f"p{number}"), first_come)
            for number in range(40)
        ]
        outcomes = [job.result().outcome for job in jobs]
    other.close()
    assert outcomes.count(Outcome.PLACED) == ROOM
    assert outcomes.count(Outcome.QUEUED) == 40 - ROOM


def test_the_queue_is_served_in_the_order_of_arrival(pool: Pool) -> None:
    for number in range(4):
        bound(pool, QUEUED, f"p{number}")
    moved = reserving.place_queued(pool, "ns", lambda _, held: PLACED if len(held.reservations) < 2 else QUEUED)
    assert [placement.placement for placement, _ in moved] == ["p0", "p1"]
    assert [row.placement for row in placements.sweepable(pool, 0, 9) if row.state is State.QUEUED] == ["p2", "p3"]


def test_those_passed_over_are_shown_to_the_ones_behind_them(pool: Pool) -> None:
    for number in range(3):
        bound(pool, QUEUED, f"p{number}")
    seen: dict[str, list[str]] = {}

    def note(placement: Placement, held: Held) -> Decision:
        seen[placement.placement] = [one.placement for one in held.queued]
        return QUEUED

    reserving.place_queued(pool, "ns", note)
    assert seen == {"p0": [], "p1": ["p0"], "p2": ["p0", "p1"]}


def test_a_workflow_whose_origin_may_never_appear_keeps_nobody_waiting(pool: Pool) -> None:
    reserving.admit(pool, new("p0"), lambda _: QUEUED)
    assert list(held_in(pool).queued) == []


def test_what_can_no_longer_fit_leaves_the_queue_with_the_reason(pool: Pool) -> None:
    bound(pool, QUEUED)
    refused = replace(QUEUED, outcome=Outcome.REFUSED, reason="the quota shrank")
    reserving.place_queued(pool, "ns", lambda _, __: refused)
    row = placements.get(pool, "p1")
    assert row is not None
    assert (row.state, row.phase, row.message) == (State.ENDED, "Error", "the quota shrank")


def test_released_room_stays_in_view_with_its_time_until_samples_have_caught_up(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job-p1", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job-p1", run_uid="r")
    placements.ended(pool, "p1", run_uid="r", phase="Succeeded", message=None, outcome={})
    assert [one.released_at is not None for one in held_in(pool).reservations] == [True]


def test_a_target_that_refuses_before_the_origin_exists_gives_its_room_back_at_once(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    seen: list[int] = []

    def east(held: Held) -> Decision:
        seen.append(len(held.reservations))
        return replace(PLACED, cluster="east")

    reserving.preflight_refused(pool, "p1", {"west": "no"}, east)
    row = placements.get(pool, "p1")
    assert seen == [0]
    assert row is not None and (row.cluster, row.refused_by) == ("east", {"west": "no"})


def test_a_placement_that_every_target_refused_is_forgotten(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    reserving.preflight_refused(
        pool, "p1", {"west": "no"}, lambda _: replace(PLACED, outcome=Outcome.REFUSED, cluster=None)
    )
    assert placements.get(pool, "p1") is None
