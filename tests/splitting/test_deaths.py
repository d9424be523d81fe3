"""The controller dies, or an answer is lost, at each call that it makes for a split Workflow, one after the other."""

import json

import pytest

from tests.faults.ledger import LedgerServer
from tests.faults.network import Armed
from tests.splitting.world import SplitWorld

ITEMS = 4
MOST = 400
"""More calls of a kind than are made."""


def lived_through(ledger: LedgerServer, fault: Armed) -> bool:
    """One split Workflow with this fault; whether the fault came at all."""
    with SplitWorld(ledger).alive() as world:
        world.submit("2", items=ITEMS, seconds=1)
        world.network.arm(fault)
        status = world.until_end()
        came = not world.network.armed
        world.network.heal()
        world.wait(4)
        assert status["phase"] == "Succeeded", (fault, status)
        world.once_each(ITEMS)
        assert world.positions() == list(range(ITEMS)), fault
        assert len(world.parts()) == len(world.chunks()) == 2, fault
        assert json.loads(status["outputs"]["parameters"][0]["value"]) == [f"<{item}>" for item in range(ITEMS)]
        assert not world.bugs
    return came


@pytest.mark.parametrize(
    ("link", "verb", "kind", "step"),
    [
        ("ledger", "transaction", "die", 2),
        ("ledger", "transaction", "lose", 5),
        ("front", "create", "die", 1),
        ("front", "create", "kill", 1),
        ("front", "create", "lose", 1),
        ("front", "patch", "die", 2),
        ("front", "patch", "lose", 3),
    ],
)
def test_wherever_it_dies_nothing_is_lost_or_runs_twice(
    ledger: LedgerServer, link: str, verb: str, kind: str, step: int
) -> None:
    tried = 0
    for skip in range(0, MOST, step):
        if not lived_through(ledger, Armed("controller", link, kind, skip=skip, verb=verb)):
            break
        tried += 1
    assert 0 < tried < MOST // step
