"""A target that lacks what a Workflow refers to is filtered out; if none has it, a new one is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.scout.test_decide import decided, size, snapshot
from tests.support.placing import World, new
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.references.model import Kind, Reference, References, Shortfall
from webhook.scout.decide import waits
from webhook.scout.model import Obstacle, Outcome, Request, Target
from webhook.scout.placer import Placer

REQUEST = Request("ns", size(1), "seed")
C = Reference(Kind.CONFIG_MAP, "c")
LACKS = Shortfall(lacks="lacks ConfigMap c")


def targets(**found: Shortfall) -> list[Target]:
    return [Target(name, shortfall=one) for name, one in found.items()]


def test_the_target_that_has_it_is_chosen_and_the_reason_for_the_other_names_it() -> None:
    decision = decided(REQUEST, snapshot("west"), snapshot("east"), targets=targets(west=Shortfall(), east=LACKS))
    assert decision.cluster == "west"
    east = next(one for one in decision.verdicts if one.cluster == "east")
    assert (east.obstacle, east.removed_by) == (Obstacle.LACKING, "lacks ConfigMap c")
    assert east.free is not None


def test_if_none_has_it_it_is_refused_with_what_each_lacks_but_waits_if_it_was_accepted_before() -> None:
    decision = decided(REQUEST, snapshot("west"), snapshot("east"), targets=targets(west=LACKS, east=LACKS))
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason == ("no target has all that it refers to: west: lacks ConfigMap c; east: lacks ConfigMap c")
    assert waits(decision).outcome is Outcome.QUEUED


def test_it_waits_for_a_target_that_has_it_but_no_room() -> None:
    full = snapshot("west", used=size(10, 100))
    decision = decided(REQUEST, full, snapshot("east"), targets=targets(west=Shortfall(), east=LACKS))
    assert decision.outcome is Outcome.QUEUED and "east: lacks ConfigMap c" in decision.reason


def test_one_that_lacks_it_and_one_that_is_too_small_are_hopeless_together() -> None:
    small = snapshot("west", hard=size(0.5))
    decision = decided(REQUEST, small, snapshot("east"), targets=targets(west=Shortfall(), east=LACKS))
    assert decision.outcome is Outcome.REFUSED
    assert "west: its whole quota is" in decision.reason and "east: lacks ConfigMap c" in decision.reason


@pytest.mark.parametrize("known", [True, False], ids=["with a quota", "without"])
def test_a_target_that_lacks_it_says_so_before_it_says_that_it_is_drained(known: bool) -> None:
    found = [Target("east", closed="is being drained", shortfall=LACKS)]
    decision = decided(REQUEST, *([snapshot("east")] if known else []), targets=found)
    assert decision.outcome is Outcome.REFUSED and "lacks ConfigMap c" in decision.reason


def test_what_is_not_known_filters_nobody_and_is_said_once() -> None:
    unsure = Shortfall(unsure="not known whether it has Secret s: Medea may not look at its Secrets")
    decision = decided(REQUEST, snapshot("west"), targets=targets(west=unsure))
    assert decision.cluster == "west"
    assert decision.reason.count("not known whether it has Secret s") == 1


def test_a_target_that_is_still_being_asked_is_waited_for() -> None:
    pending = Shortfall(pending="is being asked whether it has ConfigMap c")
    decision = decided(REQUEST, snapshot("west"), targets=targets(west=pending))
    assert decision.outcome is Outcome.QUEUED and "is being asked" in decision.reason


class Known:
    """What targets lack, as a test says."""

    def __init__(self, **lacking: str) -> None:
        self.changes, self.lacking = 0, lacking

    def shortfalls(self, _: str, references: References, targets: Iterable[str]) -> Mapping[str, Shortfall]:
        return {name: Shortfall(lacks=self.lacking[name]) for name in targets if references and name in self.lacking}


def test_what_waits_for_something_leaves_the_queue_as_soon_as_a_target_has_it(pool: Pool) -> None:
    world, known = World(pool, west=2, east=2), Known(east="lacks ConfigMap c")
    seen: Any = world
    world.placer = Placer(pool=pool, sampler=seen, registry=seen, max_age=60, presence=known, clock=lambda: world.now)
    assert world.submit("first", 2, "west").cluster == "west"
    assert world.placer.admit(replace(new("second", 2), refers=(C,))).outcome is Outcome.QUEUED
    placements.bind(pool, "second", namespace="ns", name="second", uid="second")
    assert world.row("second").refers == (C,)
    assert world.serve() == [] and "east: lacks ConfigMap c" in str(world.row("second").reason)
    assert world.row("second").lacked_by == ("east",)
    assert world.submit("third", 2).cluster == "east"
    placements.ended(pool, "third", run_uid=None, phase="Succeeded", message=None, outcome={})
    known.lacking, known.changes = {}, 1
    assert world.serve() == ["second"]
