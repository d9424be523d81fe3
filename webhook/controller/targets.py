"""Which targets can't be used, and since when: what is placed there waits for them, however long."""

import datetime
import threading
import time
from collections.abc import Callable

from webhook.controller.plan import Away
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.model.limits import AWAY_GRACE

_UNREGISTERED = "is not registered at this front door"


def utc_now() -> datetime.datetime:
    """The time."""
    return datetime.datetime.now(datetime.UTC)


class Targets:
    """The registry, with a memory of when each target went away. `clock` is in seconds, `now` is shown to people."""

    def __init__(
        self,
        registry: Registry,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        self._registry, self._clock, self._now = registry, clock, now
        self._away: dict[str, tuple[float, str]] = {}
        self._long_away: set[str] = set()
        self._lock = threading.Lock()

    def get(self, name: str) -> Cluster:
        """The client of a target. Raises Missing for a name that is not registered."""
        return self._registry.get(name)

    def away(self, name: str | None) -> Away | None:
        """Since when a target can't be used; None while it can."""
        if name is None:
            return None
        reason = self._registry.names().get(name, _UNREGISTERED)
        with self._lock:
            return self._note(name, reason)

    def turned(self) -> list[str]:
        """The targets that have been away for AWAY_GRACE, or are back, since this was asked last."""
        names = self._registry.names()
        with self._lock:
            for name in self._away.keys() | names.keys():
                self._note(name, names.get(name, _UNREGISTERED))
            started = self._clock() - AWAY_GRACE
            long_away = {name for name, (since, _) in self._away.items() if since <= started}
            turned = sorted(long_away ^ self._long_away)
            self._long_away = long_away
            return turned

    def _note(self, name: str, reason: str | None) -> Away | None:
        if reason is None:
            self._away.pop(name, None)
            return None
        moment = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        since, stamp = self._away.setdefault(name, (self._clock(), moment))
        # The registry's own words count the seconds; these stay the same, so that the origin is patched once.
        words = f"has not answered since {stamp}" if name in self._registry.clusters() else reason
        return Away(f"target {name} {words}", self._clock() - since)
