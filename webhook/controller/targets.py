"""Which targets can't be used, and since when. What is placed there waits, however long that takes."""

import threading
import time
from collections.abc import Callable

from webhook.controller.plan import Away
from webhook.errors import Missing
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.ledger.placement import Placement
from webhook.model.deadline import Now, utc_now
from webhook.model.moments import written
from webhook.model.run import Original
from webhook.targets.creator import Creator, creator
from webhook.targets.node_pools import on_nodes

_UNREGISTERED = "is not registered at this front door"


class Targets:
    """The registry, plus since when each target is away. `clock` is in seconds; `now` is the time shown to people."""

    def __init__(
        self,
        registry: Registry,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._registry, self._clock, self._now = registry, clock, now
        self._away: dict[str, tuple[float, str]] = {}
        self._told: dict[str, bool] = {}
        """The targets that were away at the last call of `turned`, and whether for long already."""
        self._lock = threading.Lock()

    def get(self, name: str) -> Cluster:
        """The client of a target. Raises Missing for a name that is not registered."""
        return self._registry.get(name)

    def creator(self, row: Placement) -> Creator:
        """What creates a placement's run. Raises Missing for a target that is not registered."""
        return creator(self._registry, str(row.cluster), row.namespace, row.submitter)

    def on_nodes(self, name: str, original: Original) -> tuple[Original, str]:
        """What runs on a target, and on which of its nodes, for people. Raises Rejected if a step fits none."""
        return on_nodes(self._registry, name, original)

    def away(self, name: str | None) -> Away | None:
        """Why and for how long a target can't be used; None if it can, or if `name` is None."""
        return None if name is None else self._note(name)

    def turned(self) -> dict[str, Away | None]:
        """The targets that, since the last call, have been away for long (with the reason) or are back (None)."""
        with self._lock:
            known = self._away.keys() | self._told.keys()
        noted = {name: self._note(name) for name in known | self._registry.names().keys()}
        now = {name: away.long for name, away in noted.items() if away}
        changed = [name for name in now.keys() | self._told.keys() if now.get(name) != self._told.get(name)]
        self._told = now
        return {name: noted[name] for name in changed if now.get(name) is not False}

    def _note(self, name: str) -> Away | None:
        reason, words = self._why(name)
        with self._lock:
            if reason is None:
                self._away.pop(name, None)
                return None
            moment = written(self._now())
            since, stamp = self._away.setdefault(name, (self._clock(), moment))
            return Away(f"target {name} {words.format(since=stamp)}", self._clock() - since)

    def _why(self, name: str) -> tuple[str | None, str]:
        """Why it can't be used, and the words to show, which don't change while it lasts."""
        try:
            health = self._registry.get(name).health
            reason = health.mistaken
            if reason is None:
                # `health.away` counts seconds: if that were shown, origins would be patched all the time.
                return health.away, "has not answered since {since}"
        except Missing:
            reason = self._registry.names().get(name) or _UNREGISTERED
        return reason, reason.replace("{", "(").replace("}", ")")
