"""A target whose quota of objects is full is left out for a while: what waits goes elsewhere, or there again later."""

from tests.support.placing import World
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.limits.controller import CLOSED_PAUSE, NO_ROOM_PAUSE
from webhook.scout.placer import CLOSED, FULL


def full(world: World, placement: str, cluster: str) -> None:
    """The create of its run was refused by a full quota of objects."""
    assert placements.no_room_on_target(world.pool, placement, cluster=cluster, words="exceeded quota") is not None
    world.placer.pause("ns", cluster, FULL)


def test_what_a_full_quota_refused_goes_to_another_target_at_once(pool: Pool) -> None:
    world = World(pool, west=10)
    world.submit("p1")
    world.targets["east"] = None
    world.quota("east", 10)
    full(world, "p1", "west")
    assert world.serve() == ["p1"]
    assert world.row("p1").cluster == "east"


def test_it_is_not_tried_again_and_again_on_the_only_target_but_after_a_pause(pool: Pool) -> None:
    world = World(pool, west=10)
    world.submit("p1")
    full(world, "p1", "west")
    assert [world.serve() for _ in range(3)] == [[], [], []]
    assert world.row("p1").state is State.QUEUED
    assert "quota of objects was full" in str(world.row("p1").reason)
    world.now += NO_ROOM_PAUSE
    assert world.serve() == ["p1"]
    assert (world.row("p1").cluster, world.row("p1").refused_by) == ("west", {})


def test_one_that_allows_nothing_is_left_out_for_longer_and_says_so(pool: Pool) -> None:
    world = World(pool, west=10)
    world.submit("p1")
    placements.no_room_on_target(pool, "p1", cluster="west", words="cannot create")
    world.placer.pause("ns", "west", CLOSED)
    world.now += NO_ROOM_PAUSE
    world.quota("west", 10)
    assert world.serve() == []
    assert "did not allow Medea to run anything" in str(world.row("p1").reason)
    world.now += CLOSED_PAUSE
    world.quota("west", 10)
    assert world.serve() == ["p1"]
