"""Repeats something for every target, in a thread of its own for each, so that one that hangs does not delay others."""

import threading
from collections.abc import Callable
from functools import partial

from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.model.limits.kube import PAUSE_AFTER_A_BUG, TARGETS_LOOKED_AT_EVERY

Turn = Callable[[str, Cluster], float]
"""Takes a target's name and client; returns for how many seconds to wait before the next turn."""


def _nobody(_: str) -> None:
    """For those who keep nothing about a target that is gone."""


class PerTarget:
    """Keeps one thread for each usable target. `gone` is called, once or twice, with one that is no longer."""

    def __init__(self, what: str, registry: Registry, turn: Turn, *, gone: Callable[[str], None] = _nobody) -> None:
        self._what, self._registry, self._turn, self._gone = what, registry, turn, gone
        self._followed: dict[str, Cluster] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Start; targets may be added and removed later."""
        threads.start_loop(self._what, self._look, stop=self._stop)

    def stop(self) -> None:
        """Stop all threads, each after its turn."""
        self._stop.set()

    def look(self) -> dict[str, Cluster]:
        """Compare the targets with those that have a thread; returns those that need a new one."""
        clusters = self._registry.clusters()
        for name in self._followed.keys() - clusters.keys():
            del self._followed[name]
            self._gone(name)
        fresh = {name: cluster for name, cluster in clusters.items() if self._followed.get(name) is not cluster}
        self._followed |= fresh
        return fresh

    def _look(self) -> None:
        for name, cluster in self.look().items():
            threads.start(f"{self._what}-{name}", partial(self._follow, name, cluster))
        self._stop.wait(TARGETS_LOOKED_AT_EVERY)

    def _follow(self, name: str, cluster: Cluster) -> None:
        """Take turns until another client replaces this one."""
        while self._followed.get(name) is cluster and not self._stop.is_set():
            pause = PAUSE_AFTER_A_BUG
            with threads.isolated(self._what):
                pause = self._turn(name, cluster)
            self._stop.wait(pause)
        # Once more, since the last turn may have ended after the target was gone.
        if name not in self._followed:
            self._gone(name)
