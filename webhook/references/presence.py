"""What each target has of what Workflows refer to.

It is asked for by name: a target's namespace may have thousands of ConfigMaps, of which Workflows name a few, and a
right to get a named object is less than one to list them all. An answer is remembered. A review asks all targets at
once for what is not known, or was not there a moment ago, and waits for them for a bounded time; whoever decides never
waits. What somebody has asked about lately is asked for again in the background, so that the queue hears of what has
been made since.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Registry
from webhook.model.deadline import Deadline
from webhook.model.limits.references import (
    ABSENT_AGAIN,
    ABSENT_TRUSTED,
    ASKED_IN_A_TURN,
    LOOK_BUDGET,
    LOOK_TIMEOUT,
    LOOKS_AT_ONCE,
    MOST_REMEMBERED,
    MOST_WANTED,
    PRESENT_AGAIN,
    PRESENT_TRUSTED,
    TURN_EVERY,
    UNKNOWN_AGAIN,
    UNKNOWN_TRUSTED,
    WANTED_FOR,
)
from webhook.references.look import look
from webhook.references.model import NO_SHORTFALL, Reference, References, Seen, Shortfall, shortfall

_Key = tuple[str, str, Reference]
"""Target, namespace, and what is referred to."""
_THREAD = "presence"
_TOO_LATE = Seen(None, "it did not answer in time")


@dataclass(frozen=True)
class _Answer:
    seen: Seen
    asked: float

    def age(self, now: float) -> float:
        return now - self.asked


class Presence:
    """The targets' answers. Any thread may ask. `clock` is in seconds."""

    def __init__(self, registry: Registry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._clock = registry, clock
        self._answers: dict[_Key, _Answer] = {}
        self._wanted: dict[str, dict[_Key, float]] = defaultdict(dict)
        """When each was asked about last, by target."""
        self._under_way: dict[_Key, Future[None]] = {}
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._targets = PerTarget(_THREAD, registry, self.turn, gone=self._forget)
        self.changes = 0
        """How often a target's answer has changed."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a target's answer has become another one. Call this before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Start asking again for what was asked about lately."""
        self._targets.start()

    def stop(self) -> None:
        """Stop."""
        self._targets.stop()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def look(self, namespace: str, references: References, targets: Collection[str] | None, latest: Deadline) -> None:
        """Have answers of these targets, or of all if None, that are new enough for a review.

        Waits until the deadline at most, and for LOOK_BUDGET. Who has not answered by then is not known to have it.
        """
        clusters = self._registry.clusters()
        asked = [(name, one) for name, one in clusters.items() if targets is None or name in targets]
        keys = [(name, namespace, reference) for name, _ in asked for reference in references]
        due = [key for key in keys if self._is_due(key, PRESENT_TRUSTED, ABSENT_TRUSTED, UNKNOWN_TRUSTED)]
        self._want(keys)
        begun = {key: self._begin(clusters[key[0]], key) for key in due}
        if begun:
            wait(begun.values(), timeout=max(0.0, min(LOOK_BUDGET, latest.left)))
        for key, future in begun.items():
            late, before = self._given_up(key, future), self._seen(key)
            if late and not (before and before.there):
                self._note(key, _TOO_LATE)

    def shortfalls(self, namespace: str, references: References, targets: Iterable[str]) -> Mapping[str, Shortfall]:
        """What each of these targets lacks, as far as is known now. Never waits."""
        if not references:
            return {}
        keys = {name: [(name, namespace, reference) for reference in references] for name in targets}
        self._want([key for some in keys.values() for key in some])
        found = {name: shortfall((key[2], self._seen(key)) for key in some) for name, some in keys.items()}
        return {name: one for name, one in found.items() if one != NO_SHORTFALL}

    def seen(self, namespace: str, reference: Reference, target: str) -> Seen | None:
        """The latest answer of a target about one reference; None if there is none yet."""
        return self._seen((target, namespace, reference))

    def turn(self, target: str, cluster: Cluster) -> float:
        """Ask one target again about some of what was asked about lately. Returns the seconds until the next turn."""
        now = self._clock()
        with self._lock:
            lately = {key: at for key, at in self._wanted[target].items() if now - at <= WANTED_FOR}
            self._wanted[target] = lately
        due = [key for key in lately if self._is_due(key, PRESENT_AGAIN, ABSENT_AGAIN, UNKNOWN_AGAIN)]
        for key in sorted(due, key=self._asked)[:ASKED_IN_A_TURN]:
            if cluster.health.away is not None:
                break
            before, seen = self._seen(key), look(cluster, key[1], key[2], timeout=LOOK_TIMEOUT)
            # What it said last counts while it can't say it again: nothing may leave the queue for a hiccup.
            self._note(key, before if before is not None and seen.there is None else seen)
        return TURN_EVERY

    def _begin(self, cluster: Cluster, key: _Key) -> Future[None]:
        """Ask in another thread, unless that is under way."""
        with self._lock:
            future = self._under_way.get(key)
            if future is None:
                pool = self._pools.get(cluster.name)
                if pool is None:
                    pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix=f"{_THREAD}-{cluster.name}")
                    self._pools[cluster.name] = pool
                future = self._under_way[key] = pool.submit(self._ask, cluster, key)
            return future

    def _given_up(self, key: _Key, future: Future[None]) -> bool:
        """Whether there was no answer in time.

        A question that nobody has begun with is dropped, since those of later reviews would wait behind it. It is asked
        again in the background.
        """
        with self._lock:
            if future.cancel() and self._under_way.get(key) is future:
                del self._under_way[key]
        return future.cancelled() or not future.done()

    def _ask(self, cluster: Cluster, key: _Key) -> None:
        try:
            with threads.isolated(_THREAD):
                self._note(key, look(cluster, key[1], key[2], timeout=LOOK_TIMEOUT))
        finally:
            with self._lock:
                self._under_way.pop(key, None)

    def _note(self, key: _Key, seen: Seen) -> None:
        with self._lock:
            before = self._answers.get(key)
            if len(self._answers) >= MOST_REMEMBERED and before is None:
                self._answers.clear()
            self._answers[key] = _Answer(seen, self._clock())
            changed = before is None or before.seen.there is not seen.there
            self.changes += changed
        if changed:
            for listener in self._listeners:
                with threads.isolated(_THREAD):
                    listener()

    def _is_due(self, key: _Key, present: float, absent: float, unknown: float) -> bool:
        answer = self._answers.get(key)
        if answer is None:
            return True
        trusted = {True: present, False: absent, None: unknown}[answer.seen.there]
        return answer.age(self._clock()) > trusted

    def _want(self, keys: Iterable[_Key]) -> None:
        now = self._clock()
        with self._lock:
            for key in keys:
                wanted = self._wanted[key[0]]
                if len(wanted) >= MOST_WANTED:
                    wanted.clear()
                wanted[key] = now

    def _asked(self, key: _Key) -> float:
        answer = self._answers.get(key)
        return 0.0 if answer is None else answer.asked

    def _seen(self, key: _Key) -> Seen | None:
        answer = self._answers.get(key)
        return None if answer is None else answer.seen

    def _forget(self, target: str) -> None:
        with self._lock:
            self._answers = {key: one for key, one in self._answers.items() if key[0] != target}
            self._wanted.pop(target, None)
            pool = self._pools.pop(target, None)
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
