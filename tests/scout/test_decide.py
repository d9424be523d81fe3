"""Where a Workflow goes: the pure decision."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from webhook.scout.decide import decide, foreign_use
from webhook.scout.model import Decision, Outcome, Request, Reservation, Snapshot, Target
from webhook.totals.model import GIB, NOTHING, Totals

NOW = 1000.0


def size(cpu: float, gib: float = 1) -> Totals:
    return Totals(int(cpu * 1000), int(gib * GIB))


def snapshot(
    cluster: str, *, hard: Totals | None = None, used: Totals = NOTHING, age: float = 1, **own: Totals
) -> Snapshot:
    return Snapshot(cluster, "ns", NOW - age, hard or size(10, 100), used, own)


def decided(
    request: Request,
    *snapshots: Snapshot,
    held: Sequence[Reservation] = (),
    targets: Sequence[Target] | None = None,
    claimed: dict[str, str] | None = None,
) -> Decision:
    return decide(
        request,
        targets=targets if targets is not None else [Target(one.cluster) for one in snapshots],
        snapshots={one.cluster: one for one in snapshots},
        reservations=held,
        claimed=claimed or {},
        now=NOW,
        max_age=60,
    )


def request(cpu: float = 3, gib: float = 1, **changes: object) -> Request:
    return replace(Request("ns", size(cpu, gib), seed="one"), **changes)  # type: ignore[arg-type]


def test_the_only_target_with_room_is_chosen() -> None:
    decision = decided(request(), snapshot("west", used=size(8)), snapshot("east"))
    assert (decision.outcome, decision.cluster) == (Outcome.PLACED, "east")


def test_the_same_seed_chooses_the_same_target_and_all_that_fit_are_chosen_in_turn() -> None:
    snapshots = [snapshot("west"), snapshot("east"), snapshot("north")]
    assert decided(request(), *snapshots).cluster == decided(request(), *snapshots).cluster
    chosen = {decided(request(seed=str(number)), *snapshots).cluster for number in range(100)}
    assert chosen == {"west", "east", "north"}


def test_reservations_count_before_any_sample_shows_them() -> None:
    held = [Reservation("p1", "west", size(8))]
    assert decided(request(), snapshot("west"), held=held).outcome is Outcome.QUEUED


def test_our_own_pods_are_not_counted_beside_their_reservation() -> None:
    held = [Reservation("p1", "west", size(6), run_name="run1")]
    decision = decided(request(4), snapshot("west", used=size(6), run1=size(6)), held=held)
    assert decision.outcome is Outcome.PLACED


def test_a_run_that_is_still_starting_holds_its_whole_reservation_and_strangers_keep_theirs() -> None:
    held = [Reservation("p1", "west", size(4), run_name="run1")]
    started = snapshot("west", used=size(6), run1=size(1))
    assert decided(request(1), started, held=held).outcome is Outcome.PLACED
    assert decided(request(2), started, held=held).outcome is Outcome.QUEUED


def test_a_run_that_uses_more_than_it_reserved_counts_with_what_it_uses() -> None:
    held = [Reservation("p1", "west", size(4), run_name="run1")]
    assert decided(request(3), snapshot("west", used=size(8), run1=size(8)), held=held).outcome is Outcome.QUEUED


def test_a_run_that_ended_after_the_sample_frees_its_room_at_once() -> None:
    held = [Reservation("p1", "west", size(8), run_name="run1", released_at=NOW)]
    assert decided(request(8), snapshot("west", used=size(8), run1=size(8)), held=held).outcome is Outcome.PLACED


def test_pods_that_outlive_their_run_count_until_a_sample_shows_them_gone() -> None:
    held = [Reservation("p1", "west", size(8), run_name="run1", released_at=NOW - 10)]
    assert decided(request(8), snapshot("west", used=size(8), run1=size(8)), held=held).outcome is Outcome.QUEUED


def test_a_stale_sample_excludes_its_target_and_says_so() -> None:
    decision = decided(request(), snapshot("west", age=61))
    assert decision.outcome is Outcome.QUEUED
    assert "west: its last sample is 61 s old" in decision.reason


def test_what_fits_no_quota_is_refused_with_the_smallest_change() -> None:
    decision = decided(request(12), snapshot("west"), snapshot("east", hard=size(11.5, 100)))
    assert decision.outcome is Outcome.REFUSED
    assert "0.5 cpu less" in decision.reason
    assert "east" in decision.reason


def test_what_fits_no_known_quota_waits_while_another_target_is_unknown() -> None:
    decision = decided(request(12), snapshot("west"), targets=[Target("west"), Target("east")])
    assert decision.outcome is Outcome.QUEUED


def test_the_user_may_narrow_the_targets() -> None:
    only = frozenset({"west"})
    assert decided(request(only=only), snapshot("west"), snapshot("east")).cluster == "west"
    assert decided(request(only=only), snapshot("west", used=size(9)), snapshot("east")).outcome is Outcome.QUEUED


def test_narrowing_to_an_unknown_target_is_refused() -> None:
    assert decided(request(only=frozenset({"mars"})), snapshot("west")).outcome is Outcome.REFUSED


def test_without_targets_everything_is_refused() -> None:
    assert decided(request()).outcome is Outcome.REFUSED


def test_a_target_that_refused_is_out_and_the_refusal_is_told_when_it_was_the_last() -> None:
    refusals = {"west": "no such namespace"}
    assert decided(request(refused_by=refusals), snapshot("west"), snapshot("east")).cluster == "east"
    decision = decided(request(refused_by=refusals), snapshot("west"))
    assert decision.outcome is Outcome.REFUSED
    assert "no such namespace" in decision.reason


def test_who_was_queued_earlier_comes_first() -> None:
    decision = decided(request(), snapshot("west"), claimed={"west": "big was queued earlier"})
    assert decision.outcome is Outcome.QUEUED
    assert "big was queued earlier" in decision.reason


def test_an_unusable_target_keeps_a_workflow_waiting_not_refused() -> None:
    decision = decided(request(), snapshot("west"), targets=[Target("west", unusable="it did not answer")])
    assert decision.outcome is Outcome.QUEUED


amounts = st.builds(Totals, st.integers(0, 20_000), st.integers(0, 20))


@given(st.lists(amounts, max_size=8), amounts, amounts, amounts)
def test_no_history_of_decisions_promises_more_than_the_quota(
    needs: list[Totals], hard: Totals, foreign: Totals, started: Totals
) -> None:
    """However much of the promised room our pods already use, foreign use and promises stay within the quota."""
    held: list[Reservation] = []
    for number, need in enumerate(needs):
        seen = {one.run_name or "": _smaller(one.totals, started) for one in held}
        used = foreign
        for use in seen.values():
            used = used + use
        west = Snapshot("west", "ns", NOW, hard, used, seen)
        assert foreign_use(west, held) == foreign
        decision = decided(Request("ns", need, seed=str(number)), west, held=held)
        if decision.outcome is Outcome.PLACED:
            held.append(Reservation(str(number), "west", need, run_name=f"run{number}"))
    promised = foreign
    for one in held:
        promised = promised + one.totals
    assert not held or promised.fits(hard)


def _smaller(one: Totals, other: Totals) -> Totals:
    return Totals(min(one.cpu_milli, other.cpu_milli), min(one.memory_bytes, other.memory_bytes))


@given(amounts, amounts, amounts)
def test_more_use_never_turns_a_no_into_a_yes(need: Totals, used: Totals, more: Totals) -> None:
    before = decided(Request("ns", need, "x"), Snapshot("west", "ns", NOW, Totals(20_000, 20), used))
    after = decided(Request("ns", need, "x"), Snapshot("west", "ns", NOW, Totals(20_000, 20), used + more))
    assert not (before.outcome is not Outcome.PLACED and after.outcome is Outcome.PLACED)
