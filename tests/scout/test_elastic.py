"""Elastic Workflows: they fit where their largest pod does, and never get room that was promised to others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.placing import World, cores, new
from webhook.ledger.pool import Pool
from webhook.ledger.promised import reserved_room
from webhook.scout.decide import decide
from webhook.scout.model import Outcome, Promised, Request, Snapshot, Target
from webhook.totals.model import GIB, NOTHING, Totals

HUGE = 1 << 60


def request(peak: int, largest: int | None) -> Request:
    pod = None if largest is None else Totals(largest, 0)
    return Request("ns", Totals(peak, 0), "seed", largest_pod=pod)


def decided(
    peak: int, largest: int | None, *, hard: int, used: int = 0, reserved: int = 0
) -> tuple[Outcome, int | None]:
    found = decide(
        request(peak, largest),
        targets=[Target("west")],
        snapshots={"west": Snapshot("west", "ns", 0.0, Totals(hard, HUGE), Totals(used, 0))},
        reserved={"west": Promised(Totals(reserved, 0))},
        own={},
        claimed=(),
        now=0.0,
        max_age=60.0,
    )
    return found.outcome, found.reserved.cpu_milli if found.reserved else None


@pytest.mark.parametrize(
    ("peak", "largest", "room", "outcome", "reserved"),
    [
        (1600, 400, {"hard": 1000}, Outcome.PLACED, 1000),
        (1600, None, {"hard": 1000}, Outcome.REFUSED, None),
        (1600, 1001, {"hard": 1000}, Outcome.REFUSED, None),
        (800, 400, {"hard": 1000}, Outcome.PLACED, None),
        (800, 400, {"hard": 1000, "reserved": 200}, Outcome.PLACED, None),
        (800, 400, {"hard": 1000, "reserved": 201}, Outcome.QUEUED, None),
        (1600, 400, {"hard": 1000, "reserved": 1}, Outcome.QUEUED, None),
        (1600, 400, {"hard": 1000, "used": 600}, Outcome.PLACED, 1000),
        (1600, 400, {"hard": 1000, "used": 601}, Outcome.QUEUED, None),
        (800, 400, {"hard": 1000, "used": 500}, Outcome.PLACED, None),
        (800, 400, {"hard": 1000, "used": 500, "reserved": 1}, Outcome.QUEUED, None),
    ],
)
def test_it_fits_where_its_largest_pod_does_and_takes_all_that_is_left_if_it_is_wider(
    peak: int, largest: int | None, room: dict[str, int], outcome: Outcome, reserved: int | None
) -> None:
    assert decided(peak, largest, **room) == (outcome, reserved)


amounts = st.integers(0, 2000)


@given(amounts, amounts, amounts, amounts, amounts)
def test_what_is_promised_to_others_stays_theirs(peak: int, largest: int, hard: int, used: int, reserved: int) -> None:
    """However wide it grows, its pods and those promised before it never need more than others leave of the quota."""
    largest = min(largest, peak)
    outcome, holds = decided(peak, largest, hard=hard, used=used, reserved=reserved)
    assert (outcome is Outcome.REFUSED) is (largest > hard)
    if outcome is Outcome.PLACED:
        assert largest <= hard - used
        assert min(peak, hard - used) + reserved <= hard - used
        assert (peak if holds is None else holds) == min(peak, hard)


def test_a_refusal_names_the_largest_pod() -> None:
    found = decide(
        request(9000, 2000),
        targets=[Target("west")],
        snapshots={"west": Snapshot("west", "ns", 0.0, Totals(1000, GIB), NOTHING)},
        reserved={},
        own={},
        claimed=(),
        now=0.0,
        max_age=60.0,
    )
    assert found.reason == (
        "its largest pod needs 2 cpu, 0Gi and can never fit: the nearest quota is 1 cpu, 1Gi on west; "
        "1 cpu less, or a quota larger by that, would make it fit"
    )


def test_the_ledger_holds_the_smaller_of_peak_and_quota_and_frees_just_that(pool: Pool) -> None:
    """shared/cases/23, from argoproj/argo-workflows#3396: four rounds of 0.4 cores in a quota of one."""
    world = World(pool, west=1)
    decision = world.submit("wide", 1.6, largest_pod=0.4)
    assert decision.reserved is not None and decision.reserved.cpu_milli == 1000
    assert world.row("wide").totals == cores(1.6)
    assert world.row("wide").largest_pod == cores(0.4)
    free = world.placer.overview("ns")[0].free
    assert free is not None and free.cpu_milli == 0
    assert world.submit("next", 0.1).outcome is Outcome.QUEUED
    world.end("wide")
    assert world.serve() == ["next"]


def test_two_wide_ones_in_the_queue_go_one_after_the_other_and_a_gang_before_them_keeps_its_room(pool: Pool) -> None:
    world = World(pool, west=2)
    world.submit("gang", 1)
    assert world.submit("wide", 5, largest_pod=0.5).outcome is Outcome.QUEUED
    assert world.submit("wider", 50, largest_pod=0.5).outcome is Outcome.QUEUED
    assert world.serve() == []
    world.end("gang")
    assert world.serve() == ["wide"]
    with pool.transaction() as connection:
        assert reserved_room(connection, "ns")[0]["west"].totals.cpu_milli == 2000
    assert world.serve() == []
    world.end("wide")
    assert world.serve() == ["wider"]


def test_after_a_dry_run_was_refused_the_other_quota_is_held(pool: Pool) -> None:
    world = World(pool, west=1, east=2)
    wide = new("wide", 5, largest_pod=0.5)
    first = world.placer.admit(wide).cluster
    assert first is not None
    again = world.placer.again(wide, refused_by={first: "no"}, away={})
    assert again.cluster == {"west": "east", "east": "west"}[first]
    with pool.transaction() as connection:
        held = reserved_room(connection, "ns")[0]
    assert held == {again.cluster: Promised(cores(2 if again.cluster == "east" else 1))}


def test_a_wide_one_waits_for_every_target_that_holds_its_largest_pod(pool: Pool) -> None:
    world = World(pool, west=1, east=2)
    world.submit("a", 1, "west")
    world.submit("b", 2, "east")
    world.submit("wide", 5, largest_pod=1.5)
    assert world.submit("small", 0.5).outcome is Outcome.QUEUED
    world.end("a")
    assert world.serve() == ["small"]
    world.end("b")
    assert world.serve() == ["wide"]
