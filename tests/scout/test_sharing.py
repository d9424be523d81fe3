"""Workflows that name the same lock or cache go to one target, on a real ledger."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.support.placing import World, new
from webhook.ledger import placements, queueing, sharing
from webhook.ledger.pool import Pool
from webhook.ledger.retention import retire
from webhook.scout.model import Decision, Outcome
from webhook.scout.placer import FULL
from webhook.scout.queue_pass import request_of_row
from webhook.totals.shared_names import Shared

BUILD, TEST, CACHE = "mutex/ns/build", "semaphore/ns/limits/tests", "cache//squares"


def submit(world: World, placement: str, *names: str, cpu: float = 1, only: tuple[str, ...] = ()) -> Decision:
    """Submit a Workflow that names these, and have its origin appear."""
    decision = world.placer.admit(replace(new(placement, cpu, *only), shared=Shared(names)))
    placements.bind(world.pool, placement, namespace="ns", name=f"job-{placement}", uid=placement)
    return decision


def run(world: World, placement: str) -> None:
    """The controller creates the run."""
    cluster = world.row(placement).cluster
    assert cluster is not None
    placements.intend_run(world.pool, placement, f"job-{placement}", cluster=cluster)
    placements.dispatched(world.pool, placement, cluster=cluster, run_name=f"job-{placement}", run_uid=placement)


def end(world: World, placement: str) -> None:
    row = world.row(placement)
    placements.ended(world.pool, placement, run_uid=row.run_uid, phase="Succeeded", message=None, outcome={})


@pytest.fixture
def world(pool: Pool) -> World:
    return World(pool, west=10, east=10)


def held(world: World, *names: str, on: str = "west", by: str = "holder", cpu: float = 1) -> None:
    assert submit(world, by, *names, cpu=cpu, only=(on,)).cluster == on


@pytest.mark.parametrize(("name", "words"), [(BUILD, "mutex build"), (TEST, "semaphore limits/tests")])
def test_whoever_names_a_lock_goes_where_it_is_in_use_and_the_decision_says_why(
    world: World, name: str, words: str
) -> None:
    held(world, name)
    for number in range(5):
        decision = submit(world, f"p{number}", name)
        assert decision.cluster == "west"
        assert f"; {words} is in use there by job-" in decision.reason
        east = next(one for one in decision.verdicts if one.cluster == "east")
        assert (east.obstacle, east.removed_by) == ("tied", f"{words} is in use on west by job-holder")


def test_the_tie_ends_with_the_last_holder(world: World) -> None:
    held(world, BUILD)
    assert submit(world, "second", BUILD).cluster == "west"
    world.end("holder")
    world.closed["west"] = "drained"
    assert submit(world, "third", BUILD).outcome is Outcome.QUEUED
    world.end("second")
    assert world.serve() == ["third"]
    assert world.row("third").cluster == "east"


def test_while_that_target_is_full_it_waits_there_and_takes_nobodys_room_elsewhere(world: World) -> None:
    held(world, BUILD, cpu=10)
    decision = submit(world, "waits", BUILD)
    assert decision.outcome is Outcome.QUEUED
    assert decision.reason == "east: mutex build is in use on west by job-holder; west: free 0 cpu, 99Gi"
    assert world.serve() == []
    assert submit(world, "free", cpu=10).cluster == "east"
    world.end("holder")
    assert world.serve() == ["waits"]


def test_those_in_the_queue_are_placed_together_too(world: World) -> None:
    world.closed = {"west": "drained", "east": "drained"}
    for number in range(6):
        submit(world, f"p{number}", BUILD)
    submit(world, "other")
    world.closed = {}
    assert len(world.serve()) == 7
    assert len({world.row(f"p{number}").cluster for number in range(6)}) == 1


def test_of_many_at_the_same_moment_in_all_replicas_none_goes_to_another_target(pool: Pool) -> None:
    worlds = [World(pool, west=100, east=100, north=100) for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(submit, worlds[number % 2], f"p{number}", BUILD, TEST) for number in range(24)]
        assert len({job.result().cluster for job in jobs}) == 1


def test_a_lock_of_another_namespace_is_the_same_lock_and_its_holder_is_not_named(world: World) -> None:
    held(world, "mutex/shared/build")
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET namespace = 'shared'")
    decision = submit(world, "p", "mutex/shared/build")
    assert decision.cluster == "west"
    assert decision.reason.endswith("; mutex shared/build is in use there by a Workflow of another namespace")


def test_a_lock_that_becomes_free_in_another_namespace_is_noticed(world: World) -> None:
    held(world, "mutex/shared/build")
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET namespace = 'shared'")
    submit(world, "p", "mutex/shared/build", only=("east",))
    assert world.serve() == world.serve() == []
    world.end("holder")
    assert world.serve() == ["p"]


def test_locks_in_use_on_two_targets_are_waited_for_until_one_target_has_all(world: World) -> None:
    held(world, BUILD)
    held(world, TEST, on="east", by="other")
    decision = submit(world, "both", BUILD, TEST)
    assert decision.outcome is Outcome.QUEUED
    assert "east: mutex build is in use on west by job-holder" in decision.reason
    assert "west: semaphore limits/tests is in use on east by job-other" in decision.reason
    assert decision.reason.endswith("; it waits until one target has all of its locks")
    assert world.serve() == []
    world.end("other")
    assert world.serve() == ["both"]
    assert world.row("both").cluster == "west"


def test_who_asks_for_another_target_waits_until_the_lock_is_free(world: World) -> None:
    held(world, BUILD)
    decision = submit(world, "elsewhere", BUILD, only=("east",))
    assert decision.outcome is Outcome.QUEUED
    assert decision.reason == (
        "east: mutex build is in use on west by job-holder; west: not among the clusters asked for"
    )
    world.end("holder")
    assert world.serve() == ["elsewhere"]
    assert world.row("elsewhere").cluster == "east"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda world: world.targets.pop("west"), "west is not registered here"),
        (lambda world: world.targets.update(west="no answer"), "west: no answer"),
        (lambda world: world.closed.update(west="not accepted"), "west: not accepted"),
        (lambda world: world.quota("west", 0.5), "west: its whole quota is 0.5 cpu, 100Gi"),
    ],
)
def test_where_the_target_of_a_lock_cant_be_used_that_is_said_and_it_waits(
    world: World, change: object, words: str
) -> None:
    held(world, BUILD)
    assert callable(change)
    change(world)
    decision = submit(world, "p", BUILD)
    assert decision.outcome is Outcome.QUEUED
    assert "east: mutex build is in use on west by job-holder" in decision.reason and words in decision.reason
    world.end("holder")
    assert world.serve() == ["p"]
    assert world.row("p").cluster == "east"


def test_what_can_never_fit_is_refused_all_the_same(world: World) -> None:
    held(world, BUILD)
    assert submit(world, "p", BUILD, cpu=11).outcome is Outcome.REFUSED


def test_a_cache_stays_where_a_run_used_it_last(world: World) -> None:
    held(world, CACHE)
    run(world, "holder")
    end(world, "holder")
    for number in range(4):
        decision = submit(world, f"p{number}", CACHE)
        assert decision.cluster == "west"
        end(world, f"p{number}")
    assert decision.reason.endswith("; cache squares was last used there")
    held(world, by="fills", cpu=10)
    assert submit(world, "waits", CACHE).outcome is Outcome.QUEUED
    assert world.serve() == []


@pytest.mark.parametrize("name", [BUILD, CACHE])
def test_who_waits_for_one_target_takes_no_place_before_a_new_one_on_another(world: World, name: str) -> None:
    held(world, name, cpu=10)
    assert submit(world, "waits", name).outcome is Outcome.QUEUED
    assert submit(world, "new").cluster == "east"


def test_behind_many_that_wait_for_a_lock_the_queue_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "QUEUE_BATCH", 2)
    held(world, BUILD, cpu=10)
    held(world, by="fills", on="east", cpu=10)
    for number in range(5):
        submit(world, f"p{number}", BUILD)
    submit(world, "behind")
    world.end("fills")
    assert world.serve() == ["behind"]
    assert world.row("behind").cluster == "east"


def test_a_cache_that_no_run_has_used_is_nowhere(world: World) -> None:
    held(world, CACHE)
    placements.stopped(world.pool, "holder", "stopped")
    world.closed["west"] = "drained"
    decision = submit(world, "p", CACHE)
    assert decision.cluster == "east" and "cache" not in decision.reason


@pytest.mark.parametrize("gone", [True, False])
def test_where_a_cache_cant_be_reached_its_workflow_goes_elsewhere_and_is_told(world: World, gone: bool) -> None:
    held(world, CACHE)
    run(world, "holder")
    end(world, "holder")
    if gone:
        del world.targets["west"]
    else:
        world.closed["west"] = "drained"
    decision = submit(world, "p", CACHE)
    assert decision.cluster == "east"
    assert decision.reason.endswith("; cache squares was last used on west, where it can't go")
    run(world, "p")
    end(world, "p")
    world.closed, world.targets = {}, dict.fromkeys(("east", "west"))
    assert submit(world, "next", CACHE).cluster == "east"


def test_a_lock_counts_more_than_a_cache(world: World) -> None:
    held(world, CACHE)
    held(world, BUILD, on="east", by="other")
    decision = submit(world, "p", CACHE, BUILD)
    assert decision.cluster == "east"
    assert "cache squares is in use on west by job-holder, where it can't go" in decision.reason


def test_of_two_caches_on_two_targets_the_first_counts(world: World) -> None:
    held(world, CACHE)
    held(world, "cache//cubes", on="east", by="other")
    assert submit(world, "p", CACHE, "cache//cubes").cluster == "west"
    assert submit(world, "q", "cache//cubes", CACHE).cluster == "east"


def test_a_cache_is_forgotten_with_the_placements_that_used_it(world: World) -> None:
    held(world, CACHE)
    run(world, "holder")
    end(world, "holder")
    assert retire(world.pool, days=1, limit=9) == 1
    with world.pool.transaction() as connection:
        assert sharing.uses_of(connection, [CACHE]) != {}
        connection.execute("UPDATE caches SET used_at = now() - interval '2 days'")
    assert retire(world.pool, days=1, limit=9) == 1
    with world.pool.transaction() as connection:
        assert sharing.uses_of(connection, [CACHE]) == {}


def test_whom_a_target_refuses_in_the_dry_run_no_longer_uses_anything_there(world: World) -> None:
    first = replace(new("p", 1), shared=Shared((BUILD,)))
    chosen = world.placer.admit(first).cluster
    assert chosen is not None
    decision = world.placer.again(first, refused_by={chosen: "no"}, away={})
    assert decision.cluster not in (None, chosen) and "mutex" not in decision.reason


def test_what_a_target_sends_back_goes_nowhere_else_while_others_use_its_lock_there(world: World) -> None:
    held(world, BUILD)
    submit(world, "p", BUILD)
    placements.no_room_on_target(world.pool, "p", cluster="west", words="pods are full")
    world.placer.pause("ns", "west", FULL)
    assert world.serve() == []
    world.now += FULL.seconds + 1
    world.quota("west", 10)
    assert world.serve() == ["p"]
    assert world.row("p").cluster == "west"


def test_a_dry_run_says_what_a_submit_would(world: World) -> None:
    held(world, BUILD)
    submit(world, "p", BUILD)
    assert world.placer.peek(request_of_row(world.row("p"))).cluster == "west"


def test_a_retry_is_not_begun_while_others_use_its_lock_elsewhere(world: World) -> None:
    held(world, BUILD)
    run(world, "holder")
    end(world, "holder")
    assert submit(world, "p", BUILD, only=("east",)).cluster == "east"
    assert placements.locked_elsewhere(world.pool, "holder") == "mutex build is in use on east by job-p"
    assert placements.reopened(world.pool, "holder") is None
    world.end("p")
    assert placements.locked_elsewhere(world.pool, "holder") is None
    assert placements.reopened(world.pool, "holder") is not None
    assert submit(world, "q", BUILD).cluster == "west"


def test_a_placement_of_a_version_that_knew_no_names_ties_nobody(world: World) -> None:
    held(world, BUILD)
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET shared_names = NULL")
    assert world.row("holder").shared == ()
    assert submit(world, "p", BUILD, only=("east",)).cluster == "east"
