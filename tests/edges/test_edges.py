"""Many edges in several processes, killed and started again at will: no job is lost, and none runs twice.

MEDEA_EDGES=110 and MEDEA_EDGE_PROCESSES=11 are the size of the edge power scheduler's own trial.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edges.world import EdgeProcess, EdgesWorld
from tests.faults.ledger import LedgerServer
from webhook.model.contract import FINAL_PHASES

EDGES = int(os.environ.get("MEDEA_EDGES", "6"))
PROCESSES = int(os.environ.get("MEDEA_EDGE_PROCESSES", "3"))
JOBS = int(os.environ.get("MEDEA_EDGE_JOBS", "6"))
ITEMS = 12
SEED = 7
_ROUNDS = 2000


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[EdgeProcess]]:
    """The processes, none of which is started."""
    made = [EdgeProcess(tmp_path, f"edge-g{number}", EDGES // PROCESSES) for number in range(PROCESSES)]
    yield made
    for one in made:
        one.kill()


@pytest.mark.timeout(3600, func_only=True)
def test_edges_come_and_go_and_no_job_is_lost_or_runs_twice(ledger: LedgerServer, processes: list[EdgeProcess]) -> None:
    rng = random.Random(SEED)
    names = [f"job-{number}" for number in range(JOBS)]
    with EdgesWorld(ledger, processes).alive() as world:
        for process in processes[: PROCESSES // 2 + 1]:
            process.start()
            world.join(process)
        world.wait(4)
        waiting, killed = list(names), 0
        for number in range(_ROUNDS):
            if waiting and number % 2 == 0:
                world.fan_out(waiting.pop(0), ITEMS, rng.choice(("2", "4", "auto")))
            one = rng.choice(processes)
            if number < 10 * JOBS and one.runs and rng.random() < 0.25:
                one.kill()
                killed += 1
            elif not one.runs:
                one.start()
                world.join(one)
            if number % 17 == 16 and number < 10 * JOBS:
                world._begin_anew("controller-0")
            world.wait(2)
            phases = [(world.origin(name).get("status") or {}).get("phase") for name in names if name not in waiting]
            if not waiting and all(phase in FINAL_PHASES for phase in phases):
                break
        assert killed > 2
        assert {name: world.origin(name)["status"]["phase"] for name in names} == dict.fromkeys(names, "Succeeded")
        wanted = [f"{name}-{item}" for name in names for item in range(ITEMS)]
        assert dict(world.carried_out()) == dict.fromkeys(wanted, 1)
        for name in names:
            assert world.positions(name) == list(range(ITEMS))
        assert not world.bugs
