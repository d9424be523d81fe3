"""The controller process: starts its parts in order, sweeps regularly, and finishes its work when it is stopped."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from webhook.certificates.keeper import Keeper
from webhook.controller.loop import Loop
from webhook.controller.queue import Queue
from webhook.controller.sweep import Sweep
from webhook.controller.watches import Watches
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.registry import Registry
from webhook.kube.threads import start_loop
from webhook.kube.workqueue import WorkQueue
from webhook.ledger.pool import Pool
from webhook.model.limits.controller import FIRST_LIST, STOP_PATIENCE, TICK
from webhook.scout.eye import Eye

log = structlog.get_logger(__name__)


class Background(Protocol):
    """Something that the controller that leads does beside its placements."""

    def start(self) -> None:
        """Start, in threads of its own. The registry has been started before."""


class Controller:
    """Runs the controller's parts. `sweep_interval` is the time between two sweeps, in seconds of `clock`."""

    def __init__(
        self,
        *,
        registry: Registry,
        pool: Pool,
        sampler: Eye,
        watches: Watches,
        queue: Queue,
        recorder: EventRecorder,
        work: WorkQueue,
        loop: Loop,
        sweep: Sweep,
        sweep_interval: float,
        keeper: Keeper | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._pool, self._sampler, self._watches = registry, pool, sampler, watches
        self._queue, self._recorder, self._work, self._loop, self._sweep = queue, recorder, work, loop, sweep
        self._sweep_interval, self._keeper, self._clock = sweep_interval, keeper, clock
        self._background: list[Background] = []
        self._started, self._ready, self._stop = threading.Event(), threading.Event(), threading.Event()

    def beside(self, *background: Background) -> None:
        """Start these too, once everything is known. Call this before `run`."""
        self._background += background

    def unready(self) -> str | None:
        """Why it leads but can't work yet; None if it works, or waits to lead."""
        waits = self._started.is_set() and not self._ready.is_set()
        return "the ledger or the front door is not known yet" if waits else None

    def run(self) -> None:
        """Work until `stop` is called; then finish what is under way, for at most STOP_PATIENCE seconds."""
        self._started.set()
        if self._keeper:
            # First of all: servers wait for their certificate, whatever becomes of the ledger.
            self._keeper.start(self._stop)
        self._registry.on_change(self._on_target)
        self._sampler.on_read(self._queue.wake)
        self._pool.start()
        self._sampler.start()
        self._watches.start()
        self._registry.start()
        if not self._await_lists():
            return
        self._queue.start()
        self._recorder.start()
        workers = self._loop.start()
        self._ready.set()
        log.info("controller ready", targets=sorted(self._watches.runs))
        # A sweep of many rows takes a while: neither a target's return nor the end may have to wait for it.
        start_loop("sweep", self._sweep_once, stop=self._stop)
        start_loop("targets", self._wake_once, stop=self._stop)
        for one in self._background:
            one.start()
        self._stop.wait()
        self._queue.stop()
        self._work.shut_down()
        until = self._clock() + STOP_PATIENCE
        for worker in workers:
            worker.join(max(0.0, until - self._clock()))
        log.info("controller ended", cut_off=sum(worker.is_alive() for worker in workers))

    def stop(self) -> None:
        """Make `run` return. May be called from any thread or signal handler."""
        self._stop.set()

    def _sweep_once(self) -> None:
        self._sweep.run()
        self._stop.wait(self._sweep_interval)

    def _wake_once(self) -> None:
        self._loop.wake()
        self._stop.wait(TICK)

    def _await_lists(self) -> bool:
        """Wait for the ledger and the front door, but not for targets: one that is away must not delay the others.

        False if `stop` was called meanwhile.
        """
        first = (self._pool, self._watches.origins.informer, self._registry)
        began = self._clock()
        while not self._stop.is_set():
            if all(one.wait(TICK) for one in first):
                return True
            if self._clock() - began >= FIRST_LIST:
                began = self._clock()
                log.warning("waiting for the ledger and the front door")
        return False

    def _on_target(self, name: str, cluster: Cluster | None) -> None:
        self._watches.on_target(name, cluster)
        self._queue.wake()
