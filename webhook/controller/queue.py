"""Gives room that has come free to the Workflows that wait, first come, first served."""

import threading
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

from webhook.errors import MedeaError
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.scout.placer import Placer

log = structlog.get_logger(__name__)
_WAITING = Gauge("medea_queue_namespaces", "Namespaces in which a Workflow waits for room")

# Many things may free room at once; looking at the queue once for all of them is enough.
_GATHER = 0.1


class Queue:
    """One thread that looks at the queue whenever room may have come free."""

    def __init__(self, *, pool: Pool, placer: Placer, changed: Callable[[str], None]) -> None:
        self._pool, self._placer, self._changed = pool, placer, changed
        self._wake = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="queue", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Room may have come free, or somebody has joined the queue."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(_GATHER)
            self._wake.clear()
            try:
                self._place()
            except MedeaError as error:
                log.warning("queue not looked at", reason=error.message)

    def _place(self) -> None:
        namespaces = placements.queued_namespaces(self._pool)
        _WAITING.set(len(namespaces))
        for namespace in namespaces:
            for placement, decision in self._placer.place_queue(namespace):
                log.info(
                    "left the queue", placement=placement.placement, outcome=decision.outcome, cluster=decision.cluster
                )
                self._changed(placement.placement)
