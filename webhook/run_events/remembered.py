"""The runs whose Events are shown, also for a while after they are gone.

Argo writes of an end a moment after it, and a Workflow with `secondsAfterCompletion: 0` is gone by then.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from webhook.model.contract import COPIES
from webhook.model.limits.run_events import EVENTS_REST
from webhook.model.objects import Object, annotations

_NAMED = ("name", "namespace", "uid")

Place = tuple[str, str]
"""A target and a namespace."""


@dataclass(frozen=True)
class Known:
    """What showing the Events of one run takes: the few fields of it and its origin that they need."""

    place: Place
    run: Object
    origin: Object

    @property
    def uid(self) -> str:
        """The run's."""
        return str(self.run["metadata"]["uid"])


def known(place: Place, run: Object, origin: Object) -> Known:
    """A run and its origin, without their nodes."""
    noted = {key: value for key, value in annotations(run).items() if key == COPIES}
    there, here = ({key: one["metadata"].get(key) for key in _NAMED} for one in (run, origin))
    return Known(place, {"metadata": {**there, "annotations": noted}}, {"metadata": here})


@dataclass
class Remembered:
    """Owns what is remembered. `clock` is in seconds."""

    clock: Callable[[], float]
    _by_placement: dict[str, dict[str, Known]] = field(default_factory=dict)
    _placements: dict[tuple[str, str], str] = field(default_factory=dict)
    _going: deque[tuple[float, str, Known]] = field(default_factory=deque)
    _gone: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, placement: str, there: Iterable[Known]) -> list[Known]:
        """Note which runs of a placement are there; these, and those that are gone since EVENTS_REST at most."""
        with self._lock:
            self._forget_old()
            kept = self._by_placement.get(placement, {})
            now = {one.uid: one for one in there}
            for uid, one in kept.items():
                if uid not in now and _key(one) not in self._gone:
                    self._gone.add(_key(one))
                    self._going.append((self.clock() + EVENTS_REST, placement, one))
            for one in now.values():
                self._gone.discard(_key(one))
                self._placements[_key(one)] = placement
            every = kept | now
            if every:
                self._by_placement[placement] = every
            return list(every.values())

    def placement_of(self, target: str, run: str) -> str | None:
        """The placement of a run by its uid; None if it is not known, or no longer."""
        with self._lock:
            return self._placements.get((target, run))

    def _forget_old(self) -> None:
        while self._going and self._going[0][0] <= self.clock():
            _, placement, one = self._going.popleft()
            # It may have come back meanwhile, as when a target was away.
            if _key(one) not in self._gone:
                continue
            self._gone.discard(_key(one))
            self._placements.pop(_key(one), None)
            runs = self._by_placement[placement]
            runs.pop(one.uid, None)
            if not runs:
                del self._by_placement[placement]


def _key(one: Known) -> tuple[str, str]:
    return one.place[0], one.uid
