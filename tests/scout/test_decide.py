"""Where a Workflow goes: the pure decision."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.scout.decide import decide, waits
from webhook.scout.model import (
    WAITED_FOR,
    Decision,
    Obstacle,
    Outcome,
    OwnUse,
    Promised,
    Request,
    Reservation,
    Snapshot,
    Source,
    Target,
)
from webhook.scout.own_use import own_use
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
    claimed: Sequence[str] = (),
) -> Decision:
    by_target = {one.cluster: one for one in snapshots}
    return decide(
        request,
        targets=targets if targets is not None else [Target(one.cluster) for one in snapshots],
        snapshots=by_target,
        reserved=summed(held),
        own=own_use(by_target, held),
        claimed=claimed,
        now=NOW,
        max_age=60,
    )


def summed(held: Sequence[Reservation]) -> dict[str, Promised]:
    """As the ledger gives it: what the live reservations on each target hold."""
    sums: dict[str, Promised] = {}
    for one in held:
        if one.released_at is None:
            sums[one.cluster] = sums.get(one.cluster, Promised()).plus(one.totals, one.demands)
    return sums


def request(cpu: float = 3, gib: float = 1, **changes: object) -> Request:
    return replace(Request("ns", size(cpu, gib), seed="one"), **changes)  # type: ignore[arg-type]


def test_the_only_target_with_room_is_chosen() -> None:
    decision = decided(request(), snapshot("west", used=size(8)), snapshot("east"))
    assert (decision.outcome, decision.cluster) == (Outcome.PLACED, "east")


def test_a_snapshot_is_good_for_as_long_as_it_says_and_its_source_is_shown() -> None:
    live = replace(snapshot("west", age=20), source=Source.APISERVER, good_for=15)
    [verdict] = decided(request(), live).verdicts
    assert verdict.obstacle is Obstacle.STALE
    assert verdict.removed_by == "its last sample is 20 s old, more than 15 s"
    assert verdict.as_json()["source"] == "apiserver"
    assert decided(request(), replace(live, good_for=30)).cluster == "west"


def test_the_same_seed_chooses_the_same_target_and_all_that_fit_are_chosen_in_turn() -> None:
    snapshots = [snapshot("west"), snapshot("east"), snapshot("north")]
    assert decided(request(), *snapshots).cluster == decided(request(), *snapshots).cluster
    chosen = {decided(request(seed=str(number)), *snapshots).cluster for number in range(100)}
    assert chosen == {"west", "east", "north"}


def test_reservations_count_before_any_sample_shows_them() -> None:
    held = [Reservation("p1", "west", size(8))]
    assert decided(request(), snapshot("west"), held=held).outcome is Outcome.QUEUED


def test_where_more_is_used_than_there_is_nothing_is_free_and_never_less() -> None:
    held = [Reservation("p1", "west", size(8, 90))]
    [verdict] = decided(request(), snapshot("west", used=size(8, 0)), held=held).verdicts
    assert verdict.removed_by == "free 0 cpu, 10Gi"


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


@pytest.mark.parametrize("why", [None, "has not answered for 34 s"], ids=["there", "away"])
def test_what_fits_only_no_quota_of_long_ago_waits(why: str | None) -> None:
    decision = decided(
        request(12), snapshot("west"), snapshot("east", age=61), targets=[Target("west"), Target("east", why)]
    )
    assert decision.outcome is Outcome.QUEUED
    assert f"east: {why or 'its last sample is 61 s old'}" in decision.reason


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
    decision = decided(request(), snapshot("west"), claimed=["west"])
    assert decision.outcome is Outcome.QUEUED
    assert "kept for what was queued earlier" in decision.reason


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
        decision = decided(Request("ns", need, seed=str(number)), west, held=held)
        assert decision.verdicts[0].foreign == foreign
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


def test_what_is_refused_at_admission_is_a_reason_to_wait_for_what_was_accepted() -> None:
    for decision in (decided(request()), decided(request(12), snapshot("west", hard=NOTHING))):
        assert decision.outcome is Outcome.REFUSED
        assert (waits(decision).outcome, waits(decision).reason) == (Outcome.QUEUED, decision.reason)
    placed = decided(request(), snapshot("west"))
    assert waits(placed) is placed


def test_each_target_says_of_what_kind_its_obstacle_is() -> None:
    snapshots = [
        snapshot("big"),
        snapshot("full", used=size(9)),
        snapshot("kept"),
        snapshot("old", age=61),
        snapshot("small", hard=size(1)),
    ]
    names = ["away", "big", "full", "kept", "new", "old", "small"]
    targets = [Target(name, "it did not answer" if name == "away" else None) for name in names]
    targets.append(Target("shut", None, "does not accept work from namespace ns"))
    snapshots.append(snapshot("shut"))
    verdicts = decided(request(), *snapshots, targets=targets, claimed=["kept"]).verdicts
    assert {verdict.cluster: verdict.obstacle for verdict in verdicts} == {
        "away": Obstacle.UNUSABLE,
        "big": None,
        "full": Obstacle.FULL,
        "kept": Obstacle.CLAIMED,
        "new": Obstacle.UNKNOWN,
        "old": Obstacle.STALE,
        "shut": Obstacle.CLOSED,
        "small": Obstacle.TOO_SMALL,
    }


def test_a_policy_that_there_is_no_more_gives_way_to_the_default_one() -> None:
    decision = decided(request(policy="cheapest"), snapshot("west"))
    assert (decision.outcome, decision.policy) == (Outcome.PLACED, "random")
    assert "random among 1" in decision.reason


def test_the_reason_of_many_targets_is_no_longer_than_people_read() -> None:
    decision = decided(request(), *(snapshot(f"west-{number}", used=size(9)) for number in range(100)))
    assert decision.outcome is Outcome.QUEUED
    assert 900 < len(decision.reason) <= 1000
    assert decision.reason.endswith("more targets")
    refusals = {f"west-{number}": "no such namespace" for number in range(100)}
    many = [snapshot(name) for name in refusals]
    assert len(decided(request(refused_by=refusals), *many).reason) <= 1000
    few = {"west": "no " * 1000, "east": "never"}
    reason = decided(request(refused_by=few), snapshot("west"), snapshot("east")).reason
    assert len(reason) <= 1000
    assert "east refused: never; west refused: no no" in reason


def test_a_decision_is_plain_json() -> None:
    decision = decided(request(), snapshot("west"), targets=[Target("east"), Target("west")])
    assert json.loads(json.dumps(decision.as_json())) == decision.as_json()
    assert decision.as_json()["verdicts"][1]["free"] == {"cpu_milli": 10_000, "memory_bytes": 100 * GIB}


runs = st.builds(
    Reservation,
    st.uuids().map(str),
    st.sampled_from(["west", "east"]),
    amounts,
    st.sampled_from([None, "run1", "run2", "run3"]),
    st.sampled_from([None, NOW - 100, NOW - 1, NOW]),
)


@given(st.lists(runs, max_size=8), amounts, st.dictionaries(st.sampled_from(["run1", "run2", "run3"]), amounts))
def test_sums_give_the_same_room_as_one_reservation_after_the_other(
    held: list[Reservation], strangers: Totals, seen: dict[str, Totals]
) -> None:
    used = strangers
    for one in seen.values():
        used = used + one
    west = Snapshot("west", "ns", NOW - 1, Totals(20_000, 20), used, seen)
    [verdict] = decided(Request("ns", NOTHING, "x"), west, held=held).verdicts
    on_west = [one for one in held if one.cluster == "west"]
    explained = {one.run_name for one in on_west if one.released_at is None or one.released_at >= west.sampled_at}
    own, promised = NOTHING, NOTHING
    for name, use in seen.items():
        own = own + (use if name in explained else NOTHING)
    for live in (one for one in on_west if one.released_at is None):
        promised = promised + live.totals.larger(seen.get(live.run_name or "", NOTHING))
    assert verdict.foreign == (used - own).larger(NOTHING)
    assert verdict.reserved == promised
    assert verdict.free == west.hard - verdict.foreign - promised


def test_what_our_runs_use_is_worked_out_only_where_a_sample_shows_them() -> None:
    held = [Reservation("p1", "west", size(4), "run1"), Reservation("p2", "east", size(4), "run1")]
    assert own_use({"west": snapshot("west", run1=size(5))}, held) == {"west": OwnUse(size(5), size(1, 0))}


@pytest.mark.parametrize(("slack", "foreign"), [(0.5, 0), (3.0, 4)])
def test_a_run_that_may_have_ended_before_the_sample_counts_like_a_stranger(slack: float, foreign: int) -> None:
    held = [Reservation("p1", "west", size(4), "run1", released_at=NOW)]
    west = replace(snapshot("west", used=size(4), run1=size(4)), slack=slack)
    [verdict] = decided(request(), west, held=held).verdicts
    assert verdict.foreign == size(foreign, foreign // 4)


def test_the_pods_of_a_run_whose_name_came_back_are_not_taken_off_what_strangers_use_twice() -> None:
    held = [Reservation("p1", "west", size(4), "job", released_at=NOW), Reservation("p2", "west", size(4), "job")]
    [verdict] = decided(request(), snapshot("west", used=size(8), job=size(4)), held=held).verdicts
    assert verdict.foreign == size(4, 0)


@given(
    amounts, st.dictionaries(st.sampled_from(["run1", "run2", "run3"]), amounts), st.lists(runs, max_size=8), amounts
)
def test_whatever_a_sample_says_of_use_the_ledgers_own_reservations_are_never_promised_again(
    used: Totals, seen: dict[str, Totals], held: list[Reservation], wanted: Totals
) -> None:
    west = Snapshot("west", "ns", NOW - 1, Totals(20_000, 20), used, seen)
    decision = decided(Request("ns", wanted, "x"), west, held=held)
    if decision.outcome is Outcome.PLACED:
        assert (summed(held).get("west", Promised()).totals + wanted).fits(west.hard)


@pytest.mark.parametrize("known", [True, False])
def test_a_target_that_accepts_nothing_from_the_namespace_is_left_out_and_says_so(known: bool) -> None:
    targets = [Target("west", "has not answered for 5 s", "does not accept work from namespace ns")]
    decision = decided(request(), *([snapshot("west")] if known else []), targets=targets)
    assert (decision.outcome, decision.reason) == (Outcome.QUEUED, "west: does not accept work from namespace ns")


def test_nothing_waits_for_the_room_of_a_target_that_is_closed_to_it() -> None:
    assert Obstacle.CLOSED not in WAITED_FOR
