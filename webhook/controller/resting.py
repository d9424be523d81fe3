"""Remembers placements that the sweep can skip: they wait for a target, or nothing about them has changed."""

import threading
from collections.abc import Collection, Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wait:
    """The target that is waited for, whether it had been away for long already, and the placement's namespace."""

    target: str
    long: bool
    namespace: str


@dataclass(frozen=True)
class Rest:
    """How a placement was left: waiting for a target, at rest until its `version` changes, or neither.

    `again` is in how many seconds to look at it even so.
    """

    waits_for: Wait | None = None
    version: Hashable = None
    again: float | None = None


class Resting:
    """How each placement was left when it was last reconciled. Safe to share between threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, Wait] = {}
        self._versions: dict[str, Hashable] = {}
        self._lock = threading.Lock()

    def leave(self, placement: str, rest: Rest) -> None:
        """Remember how a placement was left."""
        with self._lock:
            self._forget(placement)
            if rest.waits_for:
                self._waiting[placement] = rest.waits_for
            elif rest.version is not None:
                self._versions[placement] = rest.version

    def take(self, placement: str) -> None:
        """Forget a placement, since it is being reconciled now."""
        with self._lock:
            self._forget(placement)

    def waiting_for(self, target: str) -> dict[str, str]:
        """The placements that wait for this target, with their namespaces."""
        with self._lock:
            return {one: wait.namespace for one, wait in self._waiting.items() if wait.target == target}

    def waits(self, placement: str, wait: Wait) -> bool:
        """Whether the placement was left with exactly this wait."""
        with self._lock:
            return self._waiting.get(placement) == wait

    def is_unchanged(self, placement: str, version: Hashable) -> bool:
        """Whether the placement was left at rest with this version."""
        with self._lock:
            return self._versions.get(placement) == version

    def keep_only(self, placements: Collection[str]) -> None:
        """Forget all other placements: they are gone."""
        with self._lock:
            for known in (self._waiting, self._versions):
                for placement in [one for one in known if one not in placements]:
                    self._forget(placement)

    def _forget(self, placement: str) -> None:
        self._waiting.pop(placement, None)
        self._versions.pop(placement, None)
