"""The watches of Events: one for each namespace of each target in which a run is under way, or was a moment ago.

Medea may read Events only in namespaces that accept its work, so no watch can span a target.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.group_index import GroupIndex
from webhook.kube.informer import Informer
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.kube.resources import EVENTS
from webhook.model.limits.run_events import (
    EVENT_WATCHES,
    EVENTS_ASK,
    EVENTS_KEPT,
    EVENTS_LOOK,
    EVENTS_LOOKED_AT,
    EVENTS_REST,
)
from webhook.model.objects import Object
from webhook.run_events.copies import OF_WORKFLOWS, due, slim, uid_of_run, version_of
from webhook.targets.acceptance import may_watch_events

log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""A target and a namespace."""
Heard = Callable[[str, str], None]
"""Called with a target and the uid of a Workflow there whose Events have changed."""


@dataclass
class _Watch:
    cluster: Cluster
    index: GroupIndex
    written: dict[str, dict[str, str]] = field(default_factory=dict)
    """By run, and then by Event: the version that the front door has."""

    def forget_gone(self) -> None:
        """Forget what was written of runs whose Events are all gone."""
        for run in self.written.keys() - set(self.index.groups()):
            self.written.pop(run, None)


class Sources:
    """Owns the watches. Each target's are kept by a thread of its own. `clock` is in seconds."""

    def __init__(
        self,
        registry: Registry,
        heard: Heard,
        *,
        begin: Callable[[Informer], None] = Informer.start,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`begin` is called to start an informer."""
        self._heard, self._begin, self._clock = heard, begin, clock
        self._under_way: dict[str, frozenset[Place]] = {}
        self._placements: dict[Place, set[str]] = {}
        self._used: dict[Place, float] = {}
        self._watches: dict[Place, _Watch] = {}
        self._refused: dict[Place, float] = {}
        self._lock = threading.Lock()
        self._targets = PerTarget("run-events", registry, self.turn, gone=self._stop_all)

    def start(self) -> None:
        """Start watching."""
        self._targets.start()

    def note(self, placement: str, under_way: frozenset[Place], lately: frozenset[Place]) -> None:
        """Note where runs of a placement are under way, and where some were a moment ago."""
        now = self._clock()
        with self._lock:
            before = self._under_way.pop(placement, frozenset())
            for place in before - under_way:
                self._placements[place].discard(placement)
            for place in under_way:
                self._placements.setdefault(place, set()).add(placement)
            self._used.update(dict.fromkeys(before | under_way | lately, now))
            if under_way:
                self._under_way[placement] = under_way

    def due(self, place: Place, run: str) -> list[Object]:
        """The Events of a run that are to be written, in order."""
        watch = self._watches.get(place)
        return due(watch.index.of(run, most=EVENTS_LOOKED_AT), watch.written.get(run, {})) if watch else []

    def written(self, place: Place, run: str, event: Object) -> None:
        """Note that the front door has this version of an Event."""
        watch = self._watches.get(place)
        if watch:
            watch.written.setdefault(run, {})[event["metadata"]["uid"]] = version_of(event)

    def turn(self, target: str, cluster: Cluster) -> float:
        """Watch the namespaces of one target in which something is under way, and no others."""
        wanted, well = self._wanted(target), cluster.health.away is None
        for place, watch in self._of(target).items():
            refused = well and watch.index.informer.trouble is not None and not self._may(place, cluster)
            if refused or place[1] not in wanted or watch.cluster is not cluster:
                self._stop(place)
            else:
                watch.forget_gone()
        for namespace in wanted if well else ():
            if (target, namespace) not in self._watches and self._may((target, namespace), cluster):
                self._watch(target, namespace, cluster)
        return EVENTS_LOOK

    def _wanted(self, target: str) -> list[str]:
        now = self._clock()
        with self._lock:
            for place in [one for one, used in self._used.items() if now - used >= EVENTS_REST]:
                if not self._placements.get(place):
                    del self._used[place]
                    self._placements.pop(place, None)
            mine = [place for place in self._used if place[0] == target]
        # The watched ones first: a watch that begins again lists everything.
        mine.sort(key=lambda place: (place not in self._watches, place))
        return [namespace for _, namespace in mine[:EVENT_WATCHES]]

    def _may(self, place: Place, cluster: Cluster) -> bool:
        """Whether Medea may watch there. A no is believed for EVENTS_ASK; until the target answers, it is one."""
        asked = self._refused.get(place)
        if asked is not None and self._clock() - asked < EVENTS_ASK:
            return False
        try:
            allowed = may_watch_events(cluster, place[1])
        except MedeaError as error:
            log.debug("not known whether Events may be read", cluster=place[0], reason=error.message)
            return False
        if allowed:
            self._refused.pop(place, None)
            return True
        if asked is None:
            log.warning("Events of runs may not be read", cluster=place[0], namespace=place[1])
        self._refused[place] = self._clock()
        return False

    def _watch(self, target: str, namespace: str, cluster: Cluster) -> None:
        index = GroupIndex(
            cluster,
            EVENTS,
            group_of=uid_of_run,
            changed=lambda run: self._heard(target, run),
            namespace=namespace,
            fields=OF_WORKFLOWS,
            keep=slim,
            most=EVENTS_KEPT,
            shown_as=f"{EVENTS.plural}/{namespace}",
        )
        self._watches[target, namespace] = _Watch(cluster, index)
        self._begin(index.informer)

    def _of(self, target: str) -> dict[Place, _Watch]:
        return {place: watch for place, watch in list(self._watches.items()) if place[0] == target}

    def _stop_all(self, target: str) -> None:
        for place in self._of(target):
            self._stop(place)

    def _stop(self, place: Place) -> None:
        watch = self._watches.pop(place, None)
        if watch:
            watch.index.informer.stop()
