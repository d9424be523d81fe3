"""Whether a cluster is still the one that it was: what answers under an address may be replaced by another cluster.

As usual in the field, a cluster's identity is the uid of its namespace kube-system.
"""

import time
from collections.abc import Callable
from typing import Any

from webhook.errors import Blocked, ClusterUnavailable, LedgerUnavailable, NotAllowed, NotThere
from webhook.kube.health import Health
from webhook.kube.resources import NAMESPACES
from webhook.model.limits.kube import IDENTIFY_EVERY
from webhook.model.objects import Object

SYSTEM = "kube-system"
PATH = NAMESPACES.path(None, SYSTEM)

Expected = Callable[[str, str | None], str | None]
"""Takes a target's name and the uid of what answers now, or None if that can't be read; returns the uid by which the
target is known, or None if there is none yet. The first uid that is told becomes it."""


class Identity:
    """Compares what answers for one target with what is known of it, and notes in `health` if it is another cluster.

    `read` reads the namespace kube-system; `clock` is in seconds.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Object],
        expected: Expected,
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._read, self._expected = name, read, expected
        self._health, self._clock = health, clock
        self._checked: float | None = None

    @property
    def checked(self) -> bool:
        """Whether it has been compared at all."""
        return self._checked is not None

    @property
    def due(self) -> bool:
        """Whether it was not compared for IDENTIFY_EVERY, or was another cluster then."""
        return (
            self._checked is None
            or self._health.mistaken is not None
            or self._clock() - self._checked >= IDENTIFY_EVERY
        )

    def check(self) -> bool:
        """Compare now; whether it is certainly the target, or the target was never known by a uid.

        Raises ClusterUnavailable if the cluster or the ledger does not answer.
        """
        uid = self._uid()
        try:
            expected = self._expected(self._name, uid)
        except LedgerUnavailable as error:
            raise ClusterUnavailable(
                f"which cluster answers for {self._name} can't be told: {error.message}"
            ) from error
        self._checked = self._clock()
        if uid is not None:
            self._health.mistaken = None if uid == expected else is_another(self._name, uid, str(expected))
        return uid == expected

    def confirm(self) -> None:
        """Raise ClusterUnavailable unless `check` says so now."""
        if self.check():
            return
        if self._health.mistaken:
            raise ClusterUnavailable(f"target {self._name} {self._health.mistaken}")
        raise Blocked(
            f"whether {self._name} is still the cluster that it was can't be told: "
            f"give Medea the right to get the namespace {SYSTEM} there"
        )

    def _uid(self) -> str | None:
        """None if it can't be read, for want of a right or of such a namespace."""
        try:
            metadata: Any = self._read().get("metadata")
        except (NotAllowed, NotThere):
            return None
        uid = metadata.get("uid") if isinstance(metadata, dict) else None
        return uid if isinstance(uid, str) and uid else None


def is_another(name: str, uid: str, expected: str) -> str:
    """What people read of a target where another cluster answers."""
    return (
        f"is another cluster now: its uid is {uid}, expected {expected}; point its Secret back, or, if the old cluster "
        f"is gone for good, delete the Secret, run `medea target forget {name}`, and register the new one"
    )
