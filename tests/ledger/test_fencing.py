"""A write that was decided from what is no longer true changes nothing: two leaders may think that they lead."""

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, bound
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import State


def running(pool: Pool, placement: str = "p1") -> Placement:
    """A placement whose run `r1` exists on west."""
    bound(pool, PLACED, placement)
    placements.intend_run(pool, placement, "job", cluster="west")
    row = placements.dispatched(pool, placement, cluster="west", run_name="job", run_uid="r1")
    assert row is not None
    return row


def ended(pool: Pool, placement: str = "p1") -> Placement:
    """A placement whose run has succeeded on west."""
    running(pool, placement)
    row = placements.ended(pool, placement, run_uid="r1", phase="Succeeded", message="fine", outcome={"phase": "x"})
    assert row is not None
    return row


def state(pool: Pool, placement: str = "p1") -> Placement:
    row = placements.get(pool, placement)
    assert row is not None
    return row


def test_a_run_created_by_a_leader_that_was_held_up_is_not_the_run_of_the_target_chosen_since(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job", cluster="west")
    assert placements.dispatched(pool, "p1", cluster="east", run_name="job", run_uid="r1") is None
    assert placements.dispatched(pool, "p1", cluster="west", run_name="job-2", run_uid="r1") is None
    assert state(pool).state is State.RESERVED


def test_no_run_is_intended_on_a_target_that_the_placement_has_left(pool: Pool) -> None:
    bound(pool)
    assert placements.intend_run(pool, "p1", "job", cluster="east") is None
    assert state(pool).run_name is None


def test_a_run_that_exists_is_not_replaced_by_another(pool: Pool) -> None:
    running(pool)
    assert placements.dispatched(pool, "p1", cluster="west", run_name="job", run_uid="r2") is None
    assert placements.dispatched(pool, "p1", cluster="west", run_name="job", run_uid="r1") is not None
    assert state(pool).run_uid == "r1"


def test_the_end_of_another_run_is_not_this_ones(pool: Pool) -> None:
    running(pool)
    for uid in ("r0", None):
        assert placements.ended(pool, "p1", run_uid=uid, phase="Failed", message=None, outcome={}) is None
    assert placements.ended(pool, "p1", run_uid="r1", phase="Failed", message=None, outcome={}) is not None


def test_a_placement_without_a_run_ends_without_one(pool: Pool) -> None:
    bound(pool)
    assert placements.ended(pool, "p1", run_uid="r1", phase="Error", message=None, outcome={}) is None
    assert placements.ended(pool, "p1", run_uid=None, phase="Error", message=None, outcome={}) is not None


def test_only_the_end_of_this_run_counts_as_shown(pool: Pool) -> None:
    ended(pool)
    assert placements.end_shown(pool, "p1", run_uid="r0") is None
    assert placements.end_shown(pool, "p1", run_uid=None) is None
    shown = placements.end_shown(pool, "p1", run_uid="r1")
    assert shown is not None and shown.end_shown


def test_a_refusal_counts_only_for_the_target_that_the_placement_is_on(pool: Pool) -> None:
    bound(pool)
    assert placements.refused_by_target(pool, "p1", "no", cluster="east") is None
    assert placements.no_room_on_target(pool, "p1", cluster="east", words="full") is None
    assert state(pool).cluster == "west"


def test_a_target_without_room_is_left_but_not_ruled_out(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job", cluster="west")
    row = placements.no_room_on_target(pool, "p1", cluster="west", words="exceeded\x00quota")
    assert row is not None
    assert (row.state, row.cluster, row.run_name, row.placed_at) == (State.QUEUED, None, None, None)
    assert (row.refused_by, row.reason) == ({}, "exceeded\ufffdquota")


def test_what_no_create_was_tried_for_may_go_elsewhere(pool: Pool) -> None:
    bound(pool)
    row = placements.requeued(pool, "p1", reason="west has not answered for 34 s")
    assert row is not None
    assert (row.state, row.cluster, row.placed_at) == (State.QUEUED, None, None)
    assert row.reason == "west has not answered for 34 s"


def test_what_a_create_was_tried_for_stays_where_its_run_may_be(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job", cluster="west")
    assert placements.requeued(pool, "p1", reason="away") is None
    assert state(pool).cluster == "west"


@pytest.mark.parametrize("has_run", [False, True])
def test_what_was_on_a_forgotten_target_ends_as_lost_and_its_room_is_free(pool: Pool, has_run: bool) -> None:
    running(pool) if has_run else bound(pool)
    row = placements.lost(pool, "p1", "Lost: west was forgotten", cluster="west")
    assert row is not None
    assert (row.state, row.phase, row.message) == (State.ENDED, "Error", "Lost: west was forgotten")
    assert row.released_at is not None and row.ended_at is not None and row.cluster is None
    assert placements.lost(pool, "p1", "again", cluster="west") is None


def test_what_is_lost_is_not_retried_where_nothing_is(pool: Pool) -> None:
    running(pool)
    placements.lost(pool, "p1", "Lost", cluster="west")
    assert placements.reopened(pool, "p1") is None


def test_an_end_that_is_known_survives_the_target_it_came_from(pool: Pool) -> None:
    ended(pool)
    row = placements.lost(pool, "p1", "Lost", cluster="west")
    assert row is not None
    assert (row.state, row.phase, row.message, row.cluster) == (State.ENDED, "Succeeded", "fine", None)
    assert placements.outcome(pool, "p1") == {"phase": "x"}


def test_a_delete_that_waits_for_a_forgotten_target_goes_through(pool: Pool) -> None:
    running(pool)
    placements.deleting(pool, "p1")
    row = placements.lost(pool, "p1", "Lost", cluster="west")
    assert row is not None and row.state is State.DELETED
    assert row.deleted_at is not None and row.released_at is not None


def test_what_has_left_a_target_or_waits_is_not_lost_with_it(pool: Pool) -> None:
    bound(pool)
    bound(pool, QUEUED, "p2")
    assert placements.lost(pool, "p1", "Lost", cluster="east") is None
    assert placements.lost(pool, "p2", "Lost", cluster="west") is None
    assert (state(pool).state, state(pool, "p2").state) == (State.RESERVED, State.QUEUED)


def test_the_sweep_reads_what_is_not_gone_page_by_page(pool: Pool) -> None:
    for number in range(5):
        bound(pool, PLACED, f"p{number}")
    placements.deleting(pool, "p2")
    placements.deleted(pool, "p2")
    placements.deleting(pool, "p3")
    first = placements.sweepable(pool, 0, 2)
    second = placements.sweepable(pool, first[-1].seq, 2)
    assert [row.placement for row in first + second] == ["p0", "p1", "p3", "p4"]
    assert placements.sweepable(pool, second[-1].seq, 2) == []
    assert (second[0].state, second[0].cluster, second[0].origin_uid) == (State.DELETING, "west", "uid-p3")
