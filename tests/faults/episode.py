"""Runs one schedule, lets everything heal, and has the history judged."""

from dataclasses import dataclass, field

from tests.faults import checker
from tests.faults.ledger import LedgerServer
from tests.faults.schedule import NAMESPACES, Event
from tests.faults.world import ROOM, World

_HEALS = 900.0
_GOES = 400.0


@dataclass
class Result:
    """What was wrong, in words; empty when the promise held."""

    wrong: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    origins: int = 0


def run(ledger: LedgerServer, events: list[Event], seed: int = 0) -> Result:
    """One episode."""
    result = Result()
    with World(ledger, seed).alive() as world:
        for event in events:
            world.do(event)
        world.heal()
        world.settle(_HEALS)
        targets = list(world.targets.values())
        result.wrong += checker.nothing_stuck(world.front, targets, NAMESPACES)
        result.wrong += checker.one_run_each(world.front, targets, world.users.did, NAMESPACES)
        result.wrong += _room_held(world)
        for one in world.users.living():
            world.users.do("delete", one)
        world.settle(_GOES)
        result.wrong += checker.nothing_left(world.front, targets, NAMESPACES)
        result.wrong += checker.let_go_in_order(world.front, targets)
        retried = {uid for uid, did in world.users.did.items() if "retry" in did}
        result.wrong += checker.never_too_much(targets, NAMESPACES, ROOM, but=retried)
        result.wrong += checker.one_target_per_lock(targets)
        result.wrong += checker.nothing_foreign_touched(world.front, targets, NAMESPACES)
        result.wrong += checker.never_there(world.elsewhere)
        result.wrong += [f"Medea did not expect: {bug}" for bug in dict.fromkeys(world.bugs)]
        result.happened = world.network.happened
        result.origins = len([one for one in checker.lives(world.front).values() if one.first.user == "alice"])
    result.wrong = list(dict.fromkeys(result.wrong))
    return result


def _room_held(world: World) -> list[str]:
    """Once everything has ended: what the overview says of room that is still held."""
    wrong = []
    for namespace in NAMESPACES:
        for verdict in world.service.placer.overview(namespace):
            if verdict.reserved is not None and (verdict.reserved.cpu_milli or verdict.reserved.memory_bytes):
                wrong.append(f"{verdict.reserved} of {verdict.cluster} is still held in {namespace}")
    return wrong
