"""Targets, their quotas and a queue, for tests of placing on a real ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from webhook.ledger import placements
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.scout import view
from webhook.scout.decide import decide as decided_by
from webhook.scout.model import Decision, Request, Snapshot
from webhook.scout.placer import Placer
from webhook.totals.model import GIB, Totals


def cores(count: float) -> Totals:
    return Totals(round(count * 1000), GIB)


def new(
    placement: str,
    cpu: float = 1,
    *only: str,
    name: str | None = None,
    namespace: str = "ns",
    largest_pod: float | None = None,
) -> NewPlacement:
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
        largest_pod=None if largest_pod is None else cores(largest_pod),
    )


class World:
    """Targets and their quotas as the scout sees them; both may change."""

    def __init__(self, pool: Pool, **hard: float) -> None:
        self.pool = pool
        self.now = 1000.0
        self.targets: dict[str, str | None] = dict.fromkeys(hard)
        self.twice: dict[str, str] = {}
        self.known = True
        self.closed: dict[str, str] = {}
        self.samples: dict[str, Snapshot] = {}
        self.read = {"ns"}
        self.unseen: dict[str, str] = {}
        for name, cpu in hard.items():
            self.quota(name, cpu)
        self.placer = self.replica()

    def replica(self) -> Placer:
        """Another process that places."""
        world: Any = self
        return Placer(
            pool=self.pool, sampler=world, registry=world, max_age=60, closed=self._closed, clock=lambda: self.now
        )

    def _closed(self, _: str, target: str) -> str | None:
        return self.closed.get(target)

    def quota(self, name: str, cpu: float, *, used: float = 0, age: float = 0, **own: float) -> None:
        """A fresh sample of one target."""
        seen = {run: Totals(round(use * 1000), 0) for run, use in own.items()}
        sample = Snapshot(
            name, "ns", self.now - age, Totals(round(cpu * 1000), 100 * GIB), Totals(round(used * 1000), 0)
        )
        self.samples = {**self.samples, name: replace(sample, own=seen)}

    def names(self) -> dict[str, str | None]:
        return self.targets

    def duplicates(self) -> dict[str, str]:
        return self.twice

    def wait(self, timeout: float) -> bool:
        return self.known and timeout == 0

    def wait_for(self, namespace: str, _: float) -> bool:
        there = namespace in self.read
        self.of_namespace(namespace)
        return there

    def blind(self, cluster: str) -> str | None:
        return self.unseen.get(cluster)

    def of_namespace(self, namespace: str) -> dict[str, Snapshot]:
        self.read.add(namespace)
        return self.samples if namespace == "ns" else {}

    def submit(self, placement: str, cpu: float = 1, *only: str, largest_pod: float | None = None) -> Decision:
        """Admit a Workflow, and have its origin appear; it is elastic if its largest pod is given."""
        decision = self.placer.admit(new(placement, cpu, *only, largest_pod=largest_pod))
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
