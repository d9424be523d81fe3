"""Serves the queue: gives free room to the Workflows that wait, first come, first served."""

import threading
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

from webhook.errors import MedeaError
from webhook.kube import threads
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.limits.controller import QUEUE_GATHER
from webhook.scout.model import Decision
from webhook.scout.placer import Placer

log = structlog.get_logger(__name__)
_WAITING = Gauge("medea_queue_namespaces", "Namespaces in which a Workflow waits for room")
_THREAD = "queue"


class Queue:
    """One thread that serves the queue whenever room may have come free."""

    def __init__(self, *, pool: Pool, placer: Placer, changed: Callable[[str, str, str], None]) -> None:
        """`changed` is called with each placement that left the queue, its target and its namespace."""
        self._pool, self._placer, self._changed = pool, placer, changed
        self._wake = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threads.start(_THREAD, self._run)

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Serve the queue soon: room may have come free, or something was queued."""
        self._wake.set()

    def look(self) -> None:
        """Serve the queue of every namespace. One that fails does not affect the others, and is served again later."""
        try:
            namespaces = placements.queued_namespaces(self._pool)
        except MedeaError as error:
            log.warning("queue not looked at", reason=error.message)
            return
        _WAITING.set(len(namespaces))
        for namespace in namespaces:
            with threads.isolated(_THREAD):
                self._look_at(namespace)

    def _look_at(self, namespace: str) -> None:
        try:
            self._placer.place_queue(namespace, self._left)
        except MedeaError as error:
            log.warning("queue not looked at", namespace=namespace, reason=error.message)

    def _left(self, placement: Placement, decision: Decision) -> None:
        log.info("left the queue", placement=placement.placement, outcome=decision.outcome, cluster=decision.cluster)
        self._changed(placement.placement, decision.cluster or "", placement.namespace)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(QUEUE_GATHER)
            self._wake.clear()
            with threads.isolated(_THREAD):
                self.look()
