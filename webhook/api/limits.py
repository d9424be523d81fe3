"""How many calls at once may wait for Medea's own webhook, which the same threads have to answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webhook.errors import Unavailable
from webhook.model.limits import SLOT_WAIT


class ConcurrencyLimit:
    """Places for calls that end in a review of Medea's own."""

    def __init__(self, number: int) -> None:
        self._semaphore = threading.BoundedSemaphore(number)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for as long as the block runs. Raises Unavailable when none comes free."""
        if not self._semaphore.acquire(timeout=SLOT_WAIT):
            raise Unavailable("too many submissions and changes at once; try again")
        try:
            yield
        finally:
            self._semaphore.release()
