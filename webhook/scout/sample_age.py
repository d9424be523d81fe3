"""How old a sample of each target may become, from how often it is seen to get newer. Pure."""

from collections import deque
from statistics import median

from webhook.model.limits.scout import (
    INTERVALS_KEPT,
    SAMPLE_FIRST_AGE,
    SAMPLE_INTERVALS,
    SAMPLE_OLDEST,
    SAMPLE_SAME,
    SAMPLE_SHORTEST_AGE,
)


class SampleAges:
    """Remembers when samples were taken. A setting of `max_age` seconds overrides what follows from that."""

    def __init__(self, max_age: float | None) -> None:
        self._max_age = max_age
        self._latest: dict[str, float] = {}
        self._intervals: dict[str, deque[float]] = {}

    def note(self, cluster: str, sampled_at: float, slack: float = 0.0) -> None:
        """A sample of this target was taken at `sampled_at`, or up to `slack` seconds later. Again changes nothing.

        When the same one is read again, its time differs a little, since it is worked out from its age.
        """
        latest = self._latest.get(cluster)
        if latest is None:
            self._latest[cluster] = sampled_at
        elif sampled_at > latest + SAMPLE_SAME + slack:
            self._intervals.setdefault(cluster, deque(maxlen=INTERVALS_KEPT)).append(sampled_at - latest)
            self._latest[cluster] = sampled_at

    def good_for(self, cluster: str) -> float:
        """For how many seconds a sample of this target is good."""
        if self._max_age is not None:
            return self._max_age
        seen = self._intervals.get(cluster)
        if not seen:
            return SAMPLE_FIRST_AGE
        return min(max(SAMPLE_INTERVALS * median(seen), SAMPLE_SHORTEST_AGE), SAMPLE_OLDEST)
