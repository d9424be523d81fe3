"""Whether a cluster answers: calls tell it, and while it doesn't, others need not find out by waiting."""

import math
import threading
import time
from collections.abc import Callable

from webhook.model.limits import UNANSWERED_CALLS


class Health:
    """What the latest calls to one cluster say. Safe to share between threads; `clock` is in seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered = 0
        self._since = 0.0
        self._answered = -math.inf

    def answered(self) -> None:
        """A call was answered, be it with a refusal."""
        with self._lock:
            self._unanswered = 0
            self._answered = self._clock()

    def unanswered(self, began: float) -> None:
        """A call that was sent at `began` was not answered, or in a way that says that the cluster can't answer now.

        If another one has been answered since, that is newer: calls that an outage swallowed time out after its end.
        """
        with self._lock:
            if began < self._answered:
                return
            if not self._unanswered:
                self._since = self._clock()
            self._unanswered += 1

    @property
    def well(self) -> bool:
        """Whether the latest call was answered."""
        return not self._unanswered

    @property
    def away(self) -> str | None:
        """For how long it has not answered, in words; None while it is well."""
        with self._lock:
            if self._unanswered < UNANSWERED_CALLS:
                return None
            return f"has not answered for {_duration(self._clock() - self._since)}"


def _duration(seconds: float) -> str:
    """Coarse, so that what repeats it changes seldom once an outage is long."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min" if seconds < 3600 else f"{seconds // 3600:.0f} h"
