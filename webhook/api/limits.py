"""Limits the calls that wait for a review by Medea's own webhook, which needs a thread of the same pool."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webhook.errors import Unavailable
from webhook.model.limits.api import SLOT_WAIT


class ConcurrencyLimit:
    """Slots for calls that lead to a review by Medea itself."""

    def __init__(self, number: int) -> None:
        self._semaphore = threading.BoundedSemaphore(number)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot while the block runs. Raises Unavailable if none becomes free within SLOT_WAIT."""
        if not self._semaphore.acquire(timeout=SLOT_WAIT):
            raise Unavailable("too many submissions and changes at once; try again")
        try:
            yield
        finally:
            self._semaphore.release()
