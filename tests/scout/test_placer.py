"""Placing on a real ledger: what is accepted waits as long as it must, in order, and costs no more than it has to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.ledger.test_placements import QUEUED
from webhook.errors import SamplesUnavailable, Unavailable
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.scout import placer as placing
from webhook.scout import view
from webhook.scout.decide import decide as decided_by
from webhook.scout.model import Decision, Obstacle, Outcome, Request, Snapshot
from webhook.scout.placer import Placer
from webhook.totals.model import GIB, Totals


def cores(count: float) -> Totals:
    return Totals(round(count * 1000), GIB)


def new(placement: str, cpu: float = 1, *only: str, name: str | None = None, namespace: str = "ns") -> NewPlacement:
    return NewPlacement(
        placement=placement,
        namespace=namespace,
        name=name,
        generate_name="job-",
        template=None,
        totals=cores(cpu),
        policy="random",
        only_clusters=only or None,
        identity="ann",
        original={"workflow": {}, "templates": []},
    )


class World:
    """Targets and their quotas as the scout sees them; both may change."""

    def __init__(self, pool: Pool, **hard: float) -> None:
        self.pool = pool
        self.now = 1000.0
        self.targets: dict[str, str | None] = dict.fromkeys(hard)
        self.known = True
        self.samples: dict[str, Snapshot] = {}
        self.read = {"ns"}
        for name, cpu in hard.items():
            self.quota(name, cpu)
        self.placer = self.replica()

    def replica(self) -> Placer:
        """Another process that places."""
        world: Any = self
        return Placer(pool=self.pool, sampler=world, registry=world, max_age=60, clock=lambda: self.now)

    def quota(self, name: str, cpu: float, *, used: float = 0, age: float = 0, **own: float) -> None:
        """A fresh sample of one target."""
        seen = {run: Totals(round(use * 1000), 0) for run, use in own.items()}
        sample = Snapshot(
            name, "ns", self.now - age, Totals(round(cpu * 1000), 100 * GIB), Totals(round(used * 1000), 0)
        )
        self.samples = {**self.samples, name: replace(sample, own=seen)}

    def names(self) -> dict[str, str | None]:
        return self.targets

    def wait(self, timeout: float) -> bool:
        return self.known and timeout == 0

    def wait_for(self, namespace: str, _: float) -> bool:
        there = namespace in self.read
        self.of_namespace(namespace)
        return there

    def of_namespace(self, namespace: str) -> dict[str, Snapshot]:
        self.read.add(namespace)
        return self.samples if namespace == "ns" else {}

    def submit(self, placement: str, cpu: float = 1, *only: str) -> Decision:
        """Admit a Workflow, and have its origin appear."""
        decision = self.placer.admit(new(placement, cpu, *only))
        placements.bind(self.pool, placement, namespace="ns", name=f"job-{placement}", uid=placement)
        return decision

    def serve(self) -> list[str]:
        """One look at the queue: who left it."""
        return [row.placement for row, _ in self.placer.place_queue("ns")]

    def end(self, placement: str) -> None:
        placements.ended(self.pool, placement, run_uid=None, phase="Succeeded", message=None, outcome={})

    def row(self, placement: str) -> Placement:
        row = placements.get(self.pool, placement)
        assert row is not None
        return row


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The requests that are decided about, by their seed."""
    asked: list[str] = []

    def decide(request: Request, **rest: Any) -> Decision:
        asked.append(request.seed)
        return decided_by(request, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(view, "decide", decide)
        yield asked


# --- Refusal is a word for admission


def unregistered(world: World) -> None:
    world.targets = {}


def drained(world: World) -> None:
    world.quota("west", 0)


def away(world: World) -> None:
    world.targets = {"west": "has not answered for 34 s"}


@pytest.mark.parametrize("happens", [unregistered, drained, away], ids=["unregistered", "drained by quota", "away"])
def test_what_waits_is_placed_after_an_hour_in_which_nothing_could_take_it(
    pool: Pool, happens: Callable[[World], None]
) -> None:
    world = World(pool, west=4)
    world.submit("p1", 4)
    world.submit("p2", 4)
    happens(world)
    for _ in range(3):
        assert world.serve() == []
        world.now += 1200
    assert world.row("p2").state is State.QUEUED
    world.end("p1")
    world.targets = {"west": None}
    world.quota("west", 4)
    assert world.serve() == ["p2"]


def test_what_every_target_has_refused_waits_with_their_words(pool: Pool) -> None:
    world = World(pool, west=4)
    world.submit("p1")
    placements.refused_by_target(pool, "p1", "no such namespace", cluster="west")
    assert world.serve() == []
    assert (world.row("p1").state, world.row("p1").reason) == (State.QUEUED, "west refused: no such namespace")


def test_without_any_target_a_submit_is_refused_and_leaves_no_row(pool: Pool) -> None:
    world = World(pool)
    decision = world.submit("p1")
    assert (decision.outcome, decision.reason) == (
        Outcome.REFUSED,
        "no target cluster is registered at this front door",
    )
    assert placements.get(pool, "p1") is None


def test_nothing_is_decided_before_the_targets_are_known(pool: Pool) -> None:
    world = World(pool, west=1)
    world.submit("p1")
    world.submit("p2")
    world.known = False
    world.end("p1")
    with pytest.raises(Unavailable, match="not known yet"):
        world.submit("p3")
    with pytest.raises(Unavailable, match="not known yet"):
        world.serve()
    with pytest.raises(Unavailable, match="not known yet"):
        world.placer.overview("ns")
    assert world.row("p2").state is State.QUEUED


def test_a_target_that_is_away_is_given_nothing_and_says_why(pool: Pool) -> None:
    world = World(pool, west=4, east=4)
    world.targets["west"] = "has not answered for 34 s"
    assert {world.submit(f"p{number}").cluster for number in range(4)} == {"east"}
    waits = world.submit("p4")
    assert waits.outcome is Outcome.QUEUED
    assert "west: has not answered for 34 s" in waits.reason
    assert world.serve() == []
    world.end("p0")
    assert world.serve() == ["p4"]
    assert world.row("p4").cluster == "east"


# --- First come, first served


def test_who_waits_claims_no_target_on_which_it_can_never_fit(pool: Pool) -> None:
    world = World(pool, west=64, east=20)
    world.submit("all of west", 64)
    world.submit("large", 40)
    assert world.submit("small").cluster == "east"
    world.submit("fills east", 19)
    world.submit("waits for east", 1, "east")
    world.end("fills east")
    assert world.serve() == ["waits for east"]


@pytest.mark.parametrize("stale", [True, False], ids=["stale", "unusable"])
def test_who_waits_claims_no_target_that_cannot_be_used_now(pool: Pool, stale: bool) -> None:
    world = World(pool, west=4, east=4)
    world.submit("fills", 4, "east")
    if stale:
        world.quota("west", 4, age=61)
    else:
        world.targets["west"] = "has not answered"
    world.submit("waits", 4)
    world.submit("waits too", 4)
    world.end("fills")
    assert world.serve() == ["waits"]
    if stale:
        world.quota("west", 4)
    else:
        world.targets["west"] = None
    assert world.serve() == ["waits too"]


def test_room_is_kept_for_who_was_queued_earlier_at_admission_as_in_the_queue(pool: Pool) -> None:
    world = World(pool, west=4)
    world.submit("p1", 3)
    world.submit("large", 4)
    late = world.submit("small", 1)
    assert late.outcome is Outcome.QUEUED
    assert "west: its room is kept for what was queued earlier" in late.reason
    assert world.serve() == []
    world.end("p1")
    assert world.serve() == ["large"]
    world.end("large")
    assert world.serve() == ["small"]


def test_a_submit_goes_where_nobody_waits_for_room_and_the_overview_tells_where_somebody_does(pool: Pool) -> None:
    world = World(pool, west=4, east=4, north=4)
    world.submit("fills", 4, "west")
    world.submit("waits", 2, "west")
    world.submit("waits too", 1, "west")
    world.end("fills")
    assert {world.submit(f"p{number}").cluster for number in range(8)} == {"east", "north"}
    assert {one.cluster: one.obstacle for one in world.placer.overview("ns")} == {
        "east": None,
        "north": None,
        "west": Obstacle.CLAIMED,
    }


def test_who_may_go_elsewhere_passes_those_who_wait_for_another_target(pool: Pool) -> None:
    world = World(pool, west=1, east=1)
    for name in ("fills west", "w1", "w2"):
        world.submit(name, 1, "west")
    world.submit("fills east", 1, "east")
    world.submit("e1", 1, "east")
    world.end("fills east")
    assert world.serve() == ["e1"]


def test_the_queue_never_promises_more_than_there_is_in_one_pass(pool: Pool) -> None:
    world = World(pool, west=5)
    world.submit("fills", 5)
    for number in range(8):
        world.submit(f"p{number}")
    world.end("fills")
    assert world.serve() == [f"p{number}" for number in range(5)]
    assert world.serve() == []


def test_pods_of_runs_that_end_during_a_sample_count_once(pool: Pool) -> None:
    world = World(pool, west=10)
    world.submit("p1", 6)
    placements.intend_run(pool, "p1", "run1", cluster="west")
    world.quota("west", 10, used=6, run1=6)
    assert world.submit("p2", 4).cluster == "west"
    world.end("p2")
    placements.dispatched(pool, "p1", cluster="west", run_name="run1", run_uid="u")
    placements.ended(pool, "p1", run_uid="u", phase="Succeeded", message=None, outcome={})
    assert world.submit("p3", 10).cluster == "west"


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


# --- Limits


def test_those_who_wait_for_one_namespace_leave_the_ledger_to_the_others(pool: Pool) -> None:
    world = World(pool, west=100)
    with ThreadPoolExecutor(20) as threads, pool.transaction() as slow:
        reserving.lock(slow, "ns")
        crowd = [threads.submit(world.placer.admit, new(f"p{number}")) for number in range(20)]
        elsewhere = world.placer.admit(new("elsewhere", namespace="other"))
        assert elsewhere.outcome is Outcome.QUEUED
        slow.execute("COMMIT")
        outcomes = [job.result().outcome for job in crowd]
    assert set(outcomes) == {Outcome.PLACED}


def test_creates_that_are_never_seen_hold_a_bounded_number_of_reservations(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "UNBOUND_RESERVATIONS", 3)
    world = World(pool, west=100)
    outcomes = [world.placer.admit(new(f"p{number}")).outcome for number in range(5)]
    assert outcomes == [Outcome.PLACED] * 3 + [Outcome.QUEUED] * 2
    assert "3 Workflows of this namespace hold room that have not been seen" in str(world.row("p4").reason)
    for number in range(5):
        placements.bind(pool, f"p{number}", namespace="ns", name=f"job{number}", uid=str(number))
    assert world.serve() == ["p3", "p4"]
    assert world.submit("p5").outcome is Outcome.PLACED


def test_creates_under_a_taken_name_hold_the_room_of_one(pool: Pool) -> None:
    world = World(pool, west=10)
    for number in range(5):
        assert world.placer.admit(new(f"p{number}", 6, name="taken")).cluster == "west"
    assert queueing.glance(pool, "ns")[0] == {"west": cores(6)}


def test_an_unknown_policy_of_a_row_does_not_keep_it_waiting_and_is_logged(pool: Pool) -> None:
    world = World(pool, west=1)
    world.submit("fills")
    world.submit("waits")
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET policy = 'of a newer Medea' WHERE placement = 'waits'")
    world.end("fills")
    with capture_logs() as logs:
        assert world.serve() == ["waits"]
    assert [(one["event"], one["instead"]) for one in logs] == [("policy not known", "random")]


def test_a_dry_run_writes_nothing_and_a_decision_is_kept_with_every_number(pool: Pool) -> None:
    world = World(pool, west=2)
    assert world.placer.peek(Request("ns", cores(2), seed="x")).cluster == "west"
    assert queueing.glance(pool, "ns")[0] == {}
    world.submit("p1", 2)
    [kept] = placements.decisions(pool, "p1")
    assert kept["verdicts"][0]["free"] == {"cpu_milli": 2000, "memory_bytes": 100 * GIB}
    [seen] = world.placer.overview("ns")
    assert seen.reserved == cores(2)
    assert world.placer.overview("elsewhere")[0].hard is None


def test_a_question_about_a_namespace_that_was_not_read_yet_is_not_answered_with_no(pool: Pool) -> None:
    world = World(pool, west=2)
    with pytest.raises(SamplesUnavailable, match="ask again"):
        world.placer.peek(Request("new", cores(1), seed="x"))
    assert world.placer.peek(Request("new", cores(1), seed="x")).outcome is Outcome.QUEUED


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
