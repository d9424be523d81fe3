"""Placing on a real ledger: what is accepted waits as long as it must, in order, and costs no more than it has to."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from tests.support.placing import World, cores, new
from webhook.errors import SamplesUnavailable, Unavailable
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.scout import placer as placing
from webhook.scout.model import Obstacle, Outcome, Promised, Request
from webhook.totals.model import GIB

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


def test_a_target_whose_quotas_cannot_be_seen_is_given_nothing_and_says_why(pool: Pool) -> None:
    world = World(pool, west=4)
    world.targets["north"] = None
    world.unseen = {"north": "its quotas can't be watched: forbidden", "west": "never shown: there is a sample"}
    assert world.submit("p1", 4).cluster == "west"
    assert "north: its quotas can't be watched: forbidden" in world.submit("p2", 4).reason
    assert {one.cluster: one.obstacle for one in world.placer.overview("ns")}["north"] is Obstacle.UNUSABLE


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
    assert queueing.glance(pool, "ns")[0] == {"west": Promised(cores(6))}


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


def test_a_second_secret_for_a_target_is_shown_and_is_no_target_that_could_be_large_enough(pool: Pool) -> None:
    world = World(pool, west=10)
    world.twice = {"west (Secret b)": "the older Secret a has the label medea.dev/cluster=west too"}
    assert [(one.cluster, one.obstacle) for one in world.placer.overview("ns")] == [
        ("west", None),
        ("west (Secret b)", Obstacle.UNUSABLE),
    ]
    assert world.placer.admit(new("p1", 11)).outcome is Outcome.REFUSED


def test_a_target_that_is_closed_to_the_namespace_is_given_nothing_and_claimed_by_nobody(pool: Pool) -> None:
    world = World(pool, west=4, east=4)
    world.closed["west"] = "does not accept work from namespace ns"
    assert {world.submit(f"p{number}").cluster for number in range(4)} == {"east"}
    waits = world.submit("p4", 4)
    assert waits.outcome is Outcome.QUEUED
    assert "west: does not accept work from namespace ns" in waits.reason
    world.submit("p5")
    assert world.serve() == []
    del world.closed["west"]
    assert world.serve() == ["p4"]
    assert world.row("p4").cluster == "west"
