"""How long a part of the sweep waits for the front door's answers about each namespace.

The sweep is one thread. In a namespace where each call takes seconds, for a webhook that is slow there for instance,
thousands of them would keep all other namespaces waiting for hours.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from webhook.model.deadline import Clock
from webhook.model.limits.controller import SWEEP_PATIENCE


class Patience:
    """For one part of one sweep. What is left undone is for the next one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: defaultdict[str, float] = defaultdict(float)

    def is_over(self, namespace: str) -> bool:
        """Whether calls about this namespace have taken SWEEP_PATIENCE seconds already."""
        return self._spent[namespace] >= SWEEP_PATIENCE

    @contextmanager
    def spent_on(self, namespace: str) -> Iterator[None]:
        """Count the time that this takes."""
        began = self._clock()
        try:
            yield
        finally:
            self._spent[namespace] += self._clock() - began
