"""The sweep of a door: parts that run one after the other, each whether or not the one before has failed."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client import Counter

from webhook.errors import ClusterUnavailable, MedeaError, NotAllowed, Rejected, StoreUnavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.kube.threads import start_loop
from webhook.ledger.pool import Pool

log = structlog.get_logger(__name__)
Part = Callable[[], None]


class _Job(Protocol):
    @property
    def id(self) -> object: ...


J = TypeVar("J", bound=_Job)


def start_sweep(
    name: str, run: Callable[[], None], pool: Pool, *, interval: float, stop: threading.Event
) -> threading.Thread:
    """Run it every `interval` seconds once the ledger is there, in a thread of its own."""

    def turn() -> None:
        if pool.wait(interval):
            run()
            stop.wait(interval)

    return start_loop(name, turn, stop=stop)


def run_parts(parts: Sequence[Part], failed: Counter) -> None:
    """Run all parts. What fails is counted, by the part's name, and left for the next time."""
    for part in parts:
        try:
            part()
        except MedeaError as error:
            failed.labels(part.__name__).inc()
            log.warning("part of a sweep failed", part=part.__name__, reason=error.message)


def page_by_page(read: Callable[[J | None], Sequence[J]]) -> Iterator[J]:
    """All jobs of all pages; `read` gives the page that follows a job, or the first one."""
    last: J | None = None
    while jobs := read(last):
        yield from jobs
        last = jobs[-1]


@dataclass
class Removal(Generic[J]):
    """Removes the jobs that are marked for it. One that can't be removed now holds up no other, and gets a turn again.

    `marked` are some of them from beyond a number on, in the order of their `number`.
    """

    marked: Callable[[int], Sequence[J]]
    number: Callable[[J], int]
    remove: Callable[[J], None]
    _after: int = 0

    def go_on(self, seconds: float) -> None:
        """From where the time was up to the last of them, or until it is up again. Raises the last failure in the end.

        At least one has its turn.
        """
        failed: MedeaError | None = None
        for job in self._following(time.monotonic() + seconds):
            try:
                self.remove(job)
            except (StoreUnavailable, ClusterUnavailable) as error:
                log.warning("a job is not removed yet", job=job.id, reason=error.message)
                failed = error
        if failed is not None:
            raise failed

    def _following(self, until: float) -> Iterator[J]:
        while jobs := self.marked(self._after):
            for job in jobs:
                # Before its turn: one that takes all the time is not to take that of the next sweep too.
                self._after = self.number(job)
                yield job
                if time.monotonic() >= until:
                    return
        self._after = 0


def remove_workflow(front: Cluster, namespace: str, name: str, uid: str) -> None:
    """Delete a job's Workflow. One that Medea may not delete stays, and keeps nobody else's job from being removed."""
    try:
        front.delete(WORKFLOWS, namespace, name, uid=uid, propagation="Background")
    except (Rejected, NotAllowed) as error:
        log.warning("a job's Workflow is left", namespace=namespace, workflow=name, reason=error.message)
