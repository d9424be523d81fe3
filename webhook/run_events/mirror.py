"""Writes the Events of runs at the front door. It begins again from nothing: an Event that is there is left alone."""

import threading
import time
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from webhook.controller.watches import Caches
from webhook.errors import AlreadyExists, NotAllowed, Rejected
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.registry import Registry
from webhook.kube.resources import EVENTS
from webhook.kube.turns import take_turn
from webhook.kube.workqueue import WorkQueue
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.run_events import (
    EVENT_WORKERS,
    EVENT_WORKERS_PER_TARGET,
    EVENTS_AT_ONCE,
    EVENTS_MOMENT,
    EVENTS_REST,
)
from webhook.model.moments import moment_of
from webhook.model.objects import Object, status_of
from webhook.model.subworkflows import ended
from webhook.run_events.copies import changes_of, copy_of, count_of, named_as_here
from webhook.run_events.remembered import Known, Remembered, known
from webhook.run_events.sources import Sources

log = structlog.get_logger(__name__)
_SHOWN = Counter("medea_run_events_total", "Argo's Events of runs, shown on origins", ["outcome"])


class EventMirror:
    """Owns the sources, the work queue, whose keys are placements, and the threads. `clock` is in seconds."""

    def __init__(
        self,
        *,
        front: Cluster,
        registry: Registry,
        known: Caches,
        begin: Callable[[Informer], None] = Informer.start,
        clock: Callable[[], float] = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        """`begin` is called to start an informer."""
        self._front, self._known, self._now = front, known, now
        self._work = WorkQueue(lane_limit=EVENT_WORKERS_PER_TARGET, clock=clock)
        self._remembered = Remembered(clock)
        self.sources = Sources(registry, self._heard, begin=begin, clock=clock)

    def start(self) -> None:
        """Start."""
        self.sources.start()
        for number in range(EVENT_WORKERS):
            threads.start_loop(f"run-events-{number}", self._turn, stop=threading.Event())

    def look_at(self, placement: str) -> None:
        """The origin or the run of this placement has changed."""
        self._work.add_after(placement, EVENTS_MOMENT, lane=None)

    def turn(self, *, wait: bool = True) -> bool:
        """Write what is due for one placement. False if there is none, without `wait`."""
        return take_turn(self._work, self._show, "showing Events", wait=wait)

    def _turn(self) -> None:
        self.turn()

    def _heard(self, target: str, run: str) -> None:
        runs = self._known.runs.get(target)
        placement = runs.placement_of(run) if runs else None
        placement = placement or self._remembered.placement_of(target, run)
        if placement is not None:
            self._work.add_after(placement, EVENTS_MOMENT, lane=target)

    def _show(self, placement: str) -> None:
        for one in self._remembered.note(placement, self._there(placement)):
            if self._known.namespaces.get("", one.place[1]) is None:
                continue
            events = self.sources.due(one.place, one.uid)
            for event in events[:EVENTS_AT_ONCE]:
                self._write(named_as_here(event, one.run, one.origin), one.origin, one.place[0])
                self.sources.written(one.place, one.uid, event)
            if len(events) > EVENTS_AT_ONCE:
                self._work.add(placement, lane=one.place[0])

    def _there(self, placement: str) -> list[Known]:
        """The runs of a placement that are there, and where Events are to be watched because of them."""
        runs = [
            ((target, run["metadata"]["namespace"]), run)
            for target, index in list(self._known.runs.items())
            for run in index.carrying(placement)
        ]
        self.sources.note(
            placement,
            frozenset(place for place, run in runs if ended(run) is None),
            frozenset(place for place, run in runs if self._ended_lately(run)),
        )
        origins = [(place, run, self._known.origin_of(run)) for place, run in runs]
        return [known(place, run, origin) for place, run, origin in origins if origin is not None]

    def _ended_lately(self, run: Object) -> bool:
        ended_at = moment_of(status_of(run).get("finishedAt"))
        return ended_at is not None and (self._now() - ended_at).total_seconds() < EVENTS_REST

    def _write(self, event: Object, origin: Object, target: str) -> None:
        """Write one Event. What the front door refuses is not tried again before the Event changes."""
        copy, namespace = copy_of(event, origin, target), origin["metadata"]["namespace"]
        outcome = "unavailable"
        try:
            try:
                self._front.create(EVENTS, namespace, copy)
                outcome = "made"
            except AlreadyExists:
                outcome = "there"
                if count_of(event) > 1:
                    self._front.patch(EVENTS, namespace, copy["metadata"]["name"], changes_of(event))
                    outcome = "changed"
        except (Rejected, NotAllowed) as error:
            outcome = "refused"
            log.info("Event not shown", workflow=origin["metadata"]["name"], reason=error.message)
        finally:
            _SHOWN.labels(outcome).inc()
