"""A queue of keys: a key waits at most once, is worked on by one thread at a time, and comes back later on failure."""

import heapq
import threading
import time

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0
_MOMENT = 0.1


class WorkQueue:
    """Keys to look at. `get` hands out a key; `done` or `failed` must follow."""

    def __init__(self) -> None:
        self._ready: dict[str, None] = {}
        self._later: list[tuple[float, str]] = []
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._soon: set[str] = set()
        self._failures: dict[str, int] = {}
        self._closed = False
        self._changed = threading.Condition()

    def add(self, key: str) -> None:
        """Look at `key` soon; if it is being worked on, once more after that."""
        with self._changed:
            self._add(key)

    def add_soon(self, key: str) -> None:
        """Look at `key` in a moment, once for all that changes about it until then: runs change in bursts."""
        with self._changed:
            if key not in self._soon:
                self._soon.add(key)
                heapq.heappush(self._later, (time.monotonic() + _MOMENT, key))
                self._changed.notify()

    def get(self) -> str | None:
        """The next key, once there is one; None when the queue is closed."""
        with self._changed:
            while not self._closed:
                self._ripen()
                if self._ready:
                    key = next(iter(self._ready))
                    del self._ready[key]
                    self._busy.add(key)
                    return key
                self._changed.wait(self._later[0][0] - time.monotonic() if self._later else None)
            return None

    def done(self, key: str) -> None:
        """`key` is dealt with, as far as is known."""
        with self._changed:
            self._failures.pop(key, None)
            self._finish(key)

    def failed(self, key: str) -> None:
        """`key` could not be dealt with: it comes back, the later the more often this happens."""
        with self._changed:
            count = self._failures.get(key, 0)
            self._failures[key] = count + 1
            delay = min(_FIRST_DELAY * 2**count, _LONGEST_DELAY)
            heapq.heappush(self._later, (time.monotonic() + delay, key))
            self._finish(key)

    def close(self) -> None:
        """Let every `get` return None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._ready) + len(self._later) + len(self._busy)

    def _add(self, key: str) -> None:
        if key in self._busy:
            self._again.add(key)
        elif key not in self._ready:
            self._ready[key] = None
            self._changed.notify()

    def _finish(self, key: str) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._add(key)
        self._changed.notify()

    def _ripen(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            key = heapq.heappop(self._later)[1]
            self._soon.discard(key)
            self._add(key)
