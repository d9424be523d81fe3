"""A target that permits one submitter nothing is left out for that one, for a while."""

from dataclasses import replace

from tests.support.placing import World, new
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.limits.controller import CLOSED_PAUSE
from webhook.model.submitter import Submitter

ANN, BOB = Submitter("ann", ("team-a",)), Submitter("bob")


def submit(world: World, placement: str, who: Submitter | None) -> None:
    """Have a Workflow wait for the only target, which is full."""
    world.placer.admit(replace(new(placement), submitter=who))
    placements.bind(world.pool, placement, namespace="ns", name=f"job-{placement}", uid=placement)


def test_only_the_submitter_waits_and_blocks_nobody_behind_them(pool: Pool) -> None:
    world = World(pool, west=10)
    world.quota("west", 10, used=10)
    for placement, who in (("a", ANN), ("b", BOB), ("c", None), ("d", Submitter("ann"))):
        submit(world, placement, who)
    world.quota("west", 10)
    world.placer.bar(world.row("a"), "west", "ann may not")
    assert world.serve() == ["b", "c", "d"]
    assert world.row("a").reason == "west: ann may not"


def test_after_a_while_the_target_is_tried_again(pool: Pool) -> None:
    world = World(pool, west=10)
    world.quota("west", 10, used=10)
    submit(world, "a", ANN)
    world.quota("west", 10)
    world.placer.bar(world.row("a"), "west", "ann may not")
    assert world.serve() == []
    world.now += CLOSED_PAUSE
    world.quota("west", 10)
    assert world.serve() == ["a"]
