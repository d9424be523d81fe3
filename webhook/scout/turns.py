"""One decision at a time per namespace, within this process.

Decisions about one namespace wait for each other in the ledger, and hold a connection meanwhile. So the threads of a
process take turns before they take a connection: a busy namespace then uses one connection and not all of them.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webhook.errors import Busy
from webhook.model.limits.scout import NAMESPACE_TURN


class Turns:
    """The turns of every namespace; idle namespaces take no memory."""

    def __init__(self, *, longest: float = NAMESPACE_TURN) -> None:
        """`longest` is how many seconds to wait for a turn."""
        self._longest = longest
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    def __len__(self) -> int:
        """Namespaces in which somebody has the turn or waits for it."""
        return len(self._locks)

    @contextmanager
    def of(self, namespace: str) -> Iterator[None]:
        """Wait for the turn and hold it. Raises Busy if it doesn't come in time."""
        with self._guard:
            lock, users = self._locks.get(namespace, (threading.Lock(), 0))
            self._locks[namespace] = (lock, users + 1)
        try:
            if not lock.acquire(timeout=self._longest):
                raise Busy(f"too many Workflows of namespace {namespace} are being placed at once; submit it again")
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(namespace)

    def _leave(self, namespace: str) -> None:
        with self._guard:
            lock, users = self._locks.pop(namespace)
            if users > 1:
                self._locks[namespace] = (lock, users - 1)
