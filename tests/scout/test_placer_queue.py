"""A look at the queue on a real ledger: it costs what has changed, and tells those who wait what for."""

from typing import Any

import pytest

from tests.ledger.test_placements import QUEUED
from tests.support.placing import World, counted, new
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.scout import view
from webhook.scout.decide import decide as decided_by
from webhook.scout.model import Decision, Outcome, Request

# --- What a pass costs


def test_what_waits_behind_the_first_is_not_looked_at_when_every_target_is_claimed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(pool, west=1)
    for number in range(8):
        world.submit(f"p{number}")
    with counted(monkeypatch) as asked:
        assert world.serve() == []
    assert asked == ["p1"]
    world.end("p0")
    with counted(monkeypatch) as asked:
        assert world.serve() == ["p1"]
    assert asked == ["p1", "p2"]


def test_who_waits_for_claimed_targets_alone_is_decided_about_only_to_be_told_why(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.scout.queue_pass.REASONS_KEPT", 2)
    world = World(pool, west=2, east=1, north=1)
    world.submit("fills", 2, "west")
    for number in range(6):
        world.submit(f"p{number}", 1.5 + number / 10, "west", "east")
    world.submit("fills east", 1, "east")
    world.submit("another", 1, "east", "west")
    world.end("fills east")
    with counted(monkeypatch) as asked:
        assert world.serve() == ["another"]
    assert asked == ["p0", "p1", "another"]


def test_a_queue_is_not_gone_through_again_while_nothing_that_matters_has_changed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(pool, west=1)
    for number in range(3):
        world.submit(f"p{number}")
    world.serve()
    with counted(monkeypatch) as asked:
        for _ in range(5):
            world.now += 5
            world.quota("west", 1)
            world.serve()
        assert asked == []
        world.quota("west", 1, used=0.5)
        world.serve()
        assert asked == ["p1"]
        world.submit("p3")
        world.serve()
        assert asked[-1] == "p1"
        world.now += 61
        world.quota("west", 1, used=0.5)
        asked.clear()
        world.serve()
        assert asked == ["p1"]


def test_a_pass_that_somebody_came_between_is_made_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(pool, west=2)
    world.submit("fills", 2)
    world.submit("waits", 1)
    world.end("fills")
    real = queueing.glance

    def taken_since(*given: Any) -> Any:
        seen = real(*given)
        reserving.admit(
            pool, new("quicker", 2, name="q"), lambda _: Decision(Outcome.PLACED, "", "random", 1.0, "west")
        )
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(queueing, "glance", taken_since)
        assert world.serve() == []
    placements.expired(pool, "quicker")
    assert world.serve() == ["waits"]


def test_who_leaves_is_told_after_each_batch_and_a_submit_gets_its_turn_between(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "QUEUE_BATCH", 2)
    world = World(pool, west=5)
    world.submit("fills", 5)
    for number in range(5):
        world.submit(f"p{number}")
    world.end("fills")
    other, told = world.replica(), list[tuple[str, str | None, Outcome]]()

    def left(row: Placement, decision: Decision) -> None:
        seen = placements.get(pool, row.placement)
        assert seen is not None and seen.state is State.RESERVED
        told.append((row.placement, decision.cluster, other.admit(new(f"after {row.placement}")).outcome))

    moved = world.placer.place_queue("ns", left)
    assert [name for name, _, _ in told] == [row.placement for row, _ in moved] == [f"p{number}" for number in range(5)]
    assert {outcome for _, _, outcome in told} == {Outcome.QUEUED}


def test_a_row_that_cannot_be_decided_about_keeps_nobody_waiting(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(pool, west=1)
    for name in ("fills", "poison", "well"):
        world.submit(name)
    world.end("fills")

    def decide(request: Request, **rest: Any) -> Decision:
        if request.seed == "poison":
            raise ArithmeticError
        return decided_by(request, **rest)

    monkeypatch.setattr(view, "decide", decide)
    assert world.serve() == ["well"]
    assert world.row("poison").state is State.QUEUED


# --- Reasons


def test_a_reason_changes_with_the_kind_of_obstacle_and_not_with_its_numbers(pool: Pool) -> None:
    world = World(pool, west=4)
    world.submit("fills", 4)
    world.submit("waits", 3)
    world.serve()
    first = world.row("waits").reason
    assert first == "west: free 0 cpu, 99Gi"
    world.quota("west", 4, used=1)
    world.serve()
    assert world.row("waits").reason == first
    world.targets["west"] = "has not answered for 34 s"
    world.serve()
    assert world.row("waits").reason == "west: has not answered for 34 s"
    world.targets["west"] = "has not answered for 99 s"
    world.now += 1
    world.quota("west", 4, used=2)
    world.serve()
    assert world.row("waits").reason == "west: has not answered for 34 s"


def test_who_comes_back_to_the_queue_is_given_a_reason_anew(pool: Pool) -> None:
    world = World(pool, west=1)
    world.submit("fills")
    world.submit("waits")
    world.serve()
    world.end("fills")
    assert world.serve() == ["waits"]
    placements.no_room_on_target(pool, "waits", cluster="west", words="exceeded quota")
    world.submit("others", 1)
    world.quota("west", 1, used=1)
    world.serve()
    assert world.row("waits").reason == "west: free 0 cpu, 100Gi"


def test_only_the_first_of_a_queue_are_told_what_each_target_lacks(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.scout.queue_pass.REASONS_KEPT", 2)
    world = World(pool, west=1, east=1)
    world.submit("fills", 1, "west")
    for number in range(14):
        world.submit(f"p{number}", 1, "west")
    world.serve()
    assert world.row("p0").reason == "east: not among the clusters asked for; west: free 0 cpu, 99Gi"
    assert world.row("p1").reason == world.row("p0").reason
    assert world.row("p2").reason == "1 or more are queued before it"
    assert world.row("p13").reason == "10 or more are queued before it"


def test_a_long_queue_is_told_its_places_only_now_and_then(pool: Pool) -> None:
    world = World(pool, west=1)
    for number in range(4):
        world.submit(f"p{number}")
    world.serve()
    admitted = world.submit("p4").reason
    for passed, words in ((9, admitted), (2, "1 or more are queued before it")):
        world.now += passed
        world.quota("west", 1, used=passed / 10)
        world.serve()
        assert world.row("p4").reason == words


def test_a_queue_of_the_same_length_and_sum_is_looked_at_when_others_wait_in_it(pool: Pool) -> None:
    world = World(pool, west=1, east=1)
    world.submit("fills", 1, "west")
    names = [f"p{number}" for number in range(1, 6)]
    for name in names:
        # The middle one could go at once, and nobody knows yet whether it has an origin.
        reserving.admit(pool, new(name, 1, "east" if name == "p3" else "west"), lambda _: QUEUED)
    for name in ("p1", "p2", "p5"):
        placements.bind(pool, name, namespace="ns", name=name, uid=name)
    assert world.serve() == []
    assert world.serve() == []
    for name in ("p2", "p5"):
        placements.deleting(pool, name)
    for name in ("p3", "p4"):
        placements.bind(pool, name, namespace="ns", name=name, uid=name)
    assert world.serve() == ["p3"]
