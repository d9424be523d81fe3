"""A queue of keys like client-go's: each key is queued once, handled by one thread at a time, and retried on failure.

Three things are added: keys from a sweep are queued behind fresh ones; a key may have a lane, such as its target; and
in that lane a share, such as its namespace. Only a limited number of keys per lane is handed out at once, so that a
target that hangs blocks no more threads than that. One share gets all but one of these, so that a namespace in which
calls hang leaves the target to the others.

    while (key := queue.get()) is not None:
        try: work
        except: queue.add_rate_limited(key)
        else: queue.forget(key)
        finally: queue.done(key)
"""

import heapq
import itertools
import random
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from webhook.model.limits.kube import RETRY_FIRST, RETRY_JITTER, RETRY_LONGEST

_Line = OrderedDict[str, None]
"""Keys in order. In a plain dict, finding the first key gets slower with each key deleted before it."""


class _Priority(IntEnum):
    FRESH = 0
    SWEEP = 1


@dataclass(slots=True)
class _Entry:
    """The state of a key that is ready, waiting or busy."""

    lane: str = ""
    share: str = ""
    ready: _Priority | None = None
    due: float | None = None
    backing_off: bool = False
    """Whether `due` is a retry after a failure: then a sweep does not make it sooner."""
    busy_in: tuple[str, str] | None = None
    """While it is handed out, the lane and the share it had then."""
    again: _Priority | None = None
    """The priority with which it was added while busy."""


class WorkQueue:
    """Keys to handle, safe to share between threads. `done` must follow each `get`, whatever happens.

    At most `lane_limit` keys of one named lane are handed out at once, and of these at most one less of one named
    share, if the limit is above one; "" has no limit. Lanes with ready keys are served in turn, and so are the shares
    in a lane. Times are in seconds of `clock`.
    """

    def __init__(self, *, lane_limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lane_limit, self._share_limit, self._clock = lane_limit, max(1, lane_limit - 1), clock
        self._entries: dict[str, _Entry] = {}
        self._ready: dict[_Priority, dict[str, dict[str, _Line]]] = {priority: {} for priority in _Priority}
        self._busy_in: Counter[tuple[str, str] | str] = Counter()
        """How many keys are handed out of each lane, and of each share of a lane."""
        self._later: list[tuple[float, int, str]] = []
        self._number = itertools.count()
        self._pauses: dict[str, float] = {}
        """The last pause of each key that has failed since it last succeeded."""
        self._closed = False
        self._changed = threading.Condition()

    def add(self, key: str, *, lane: str | None = "", share: str | None = None, sweep: bool = False) -> None:
        """Handle `key` as soon as a thread is free; if it is being handled now, once more after that.

        With `sweep`, after all fresh keys, and not sooner than a running back-off allows. The latest `lane` and `share`
        count; None keeps them as they are.
        """
        with self._changed:
            self._add(key, self._entry(key, lane, share), _Priority.SWEEP if sweep else _Priority.FRESH)

    def add_after(self, key: str, delay: float, *, lane: str | None = "", share: str | None = None) -> None:
        """Handle `key` in `delay` seconds. A key has only one such time: the earlier one wins.

        `lane` and `share` are as in `add`.
        """
        with self._changed:
            self._put_off(key, self._entry(key, lane, share), delay, backing_off=False)

    def add_rate_limited(self, key: str, *, longest: float = RETRY_LONGEST) -> None:
        """Handling `key` has failed: retry it, with a delay that doubles up to `longest` seconds. Never raises.

        What has failed often with a short `longest` is not put off for long by one failure with another.
        """
        with self._changed:
            before = self._pauses.get(key)
            pause = min(RETRY_FIRST if before is None else 2 * before, longest)
            self._pauses[key] = pause
            entry = self._entries.setdefault(key, _Entry())
            self._put_off(key, entry, pause * random.uniform(1, 1 + RETRY_JITTER), backing_off=True)

    def forget(self, key: str) -> None:
        """Handling `key` has succeeded: its next failure counts as the first."""
        with self._changed:
            self._pauses.pop(key, None)

    def get(self, *, wait: bool = True) -> str | None:
        """The next key; None if the queue is shut down or, without `wait`, if no key can be handed out now."""
        with self._changed:
            while not self._closed:
                self._ripen()
                key = self._pick()
                if key is not None:
                    # Wake another thread for the remaining keys, since this one stops waiting for them.
                    self._changed.notify()
                    return key
                if not wait:
                    return None
                # A CronWorkflow can tick in ten thousand years, for which no thread can wait.
                rest = min(self._later[0][0] - self._clock(), threading.TIMEOUT_MAX) if self._later else None
                self._changed.wait(rest)
            return None

    def done(self, key: str) -> None:
        """Handling `key` is over; if it was added meanwhile, it is ready again."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is None or entry.busy_in is None:
                return
            for one in (entry.busy_in, entry.busy_in[0]):
                self._busy_in[one] -= 1
                if not self._busy_in[one]:
                    del self._busy_in[one]
            again, entry.busy_in, entry.again = entry.again, None, None
            if again is not None:
                self._add(key, entry, again)
            self._drop_if_idle(key, entry)
            self._changed.notify()

    def shut_down(self) -> None:
        """Make every `get` return None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """Keys that are ready, waiting or busy, each once."""
        with self._changed:
            return len(self._entries)

    def _entry(self, key: str, lane: str | None, share: str | None) -> _Entry:
        entry = self._entries.setdefault(key, _Entry())
        before, now = (
            (entry.lane, entry.share),
            (
                entry.lane if lane is None else lane,
                entry.share if share is None else share,
            ),
        )
        if now == before:
            return entry
        if entry.ready is not None:
            self._take(key, entry, entry.ready)
            self._line(entry.ready, *now)[key] = None
            self._changed.notify()
        entry.lane, entry.share = now
        return entry

    def _add(self, key: str, entry: _Entry, priority: _Priority) -> None:
        if entry.backing_off:
            if priority is _Priority.SWEEP:
                return
            entry.due, entry.backing_off = None, False
        self._make_ready(key, entry, priority)

    def _make_ready(self, key: str, entry: _Entry, priority: _Priority) -> None:
        if entry.busy_in is not None:
            entry.again = priority if entry.again is None else min(entry.again, priority)
            return
        if entry.ready is not None:
            if entry.ready <= priority:
                return
            self._take(key, entry, entry.ready)
        entry.ready = priority
        self._line(priority, entry.lane, entry.share)[key] = None
        self._changed.notify()

    def _put_off(self, key: str, entry: _Entry, delay: float, *, backing_off: bool) -> None:
        due = self._clock() + delay
        if entry.due is not None and entry.due <= due:
            return
        entry.due, entry.backing_off = due, backing_off
        heapq.heappush(self._later, (due, next(self._number), key))
        if len(self._later) > 2 * len(self._entries) + 64:
            # Drop times that were replaced by others.
            self._later = [one for one in self._later if self._is_due_then(one[2], one[0])]
            heapq.heapify(self._later)
        self._changed.notify()

    def _ripen(self) -> None:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._is_due_then(key, due):
                entry = self._entries[key]
                entry.due, entry.backing_off = None, False
                self._make_ready(key, entry, _Priority.FRESH)

    def _pick(self) -> str | None:
        for priority, lanes in self._ready.items():
            for lane, shares in lanes.items():
                share = self._next_share(lane, shares)
                if share is None:
                    continue
                key = next(iter(shares[share]))
                entry = self._entries[key]
                self._take(key, entry, priority)
                if share in shares:
                    shares[share] = shares.pop(share)
                if lane in lanes:
                    lanes[lane] = lanes.pop(lane)
                entry.ready, entry.busy_in = None, (lane, share)
                self._busy_in.update((entry.busy_in, lane))
                return key
        return None

    def _next_share(self, lane: str, shares: dict[str, _Line]) -> str | None:
        """The share of a lane whose turn it is; None if none may have one more key now."""
        if not lane:
            return next(iter(shares))
        if self._busy_in[lane] >= self._lane_limit:
            return None
        return next((one for one in shares if not one or self._busy_in[lane, one] < self._share_limit), None)

    def _line(self, priority: _Priority, lane: str, share: str) -> _Line:
        return self._ready[priority].setdefault(lane, {}).setdefault(share, OrderedDict())

    def _take(self, key: str, entry: _Entry, priority: _Priority) -> None:
        """Remove a ready key from its line, and what is empty then, so that it gets no turn."""
        shares = self._ready[priority][entry.lane]
        del shares[entry.share][key]
        if not shares[entry.share]:
            del shares[entry.share]
        if not shares:
            del self._ready[priority][entry.lane]

    def _is_due_then(self, key: str, due: float) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.due == due

    def _drop_if_idle(self, key: str, entry: _Entry) -> None:
        if entry.ready is None and entry.due is None and entry.busy_in is None:
            self._entries.pop(key, None)
