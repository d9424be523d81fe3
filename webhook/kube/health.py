"""Whether a cluster answers. Calls report it, so that others need not wait for a cluster that is known to be away."""

import math
import threading
import time
from collections.abc import Callable

from webhook.model.limits.kube import UNANSWERED_CALLS


class Health:
    """The health of one cluster, from the latest calls. Safe to share between threads; `clock` is in seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered = 0
        self._since = 0.0
        self._answered = -math.inf
        self.mistaken: str | None = None
        """Why what answers is not this cluster but another one, in words that don't change; None if it is."""

    def answered(self) -> None:
        """Report that a call was answered, even if with a refusal."""
        with self._lock:
            self._unanswered = 0
            self._answered = self._clock()

    def unanswered(self, began: float) -> None:
        """Report that a call sent at `began` was not answered, or showed that the cluster can't answer calls now.

        Ignored if another call has been answered since `began`: calls lost in an outage may time out after its end.
        """
        with self._lock:
            if began < self._answered:
                return
            if not self._unanswered:
                self._since = self._clock()
            self._unanswered += 1

    @property
    def well(self) -> bool:
        """Whether the latest call was answered, and by the right cluster."""
        return not self._unanswered and self.mistaken is None

    @property
    def away(self) -> str | None:
        """For how long the cluster has not answered, in words; None until UNANSWERED_CALLS in a row were not.

        A cluster is away too while another one answers in its place.
        """
        with self._lock:
            if self._unanswered < UNANSWERED_CALLS:
                return self.mistaken
            return f"has not answered for {_duration(self._clock() - self._since)}"


def _duration(seconds: float) -> str:
    """A coarse duration, so that messages with it rarely change once an outage is long."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min" if seconds < 3600 else f"{seconds // 3600:.0f} h"
