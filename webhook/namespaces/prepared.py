"""Whether the controller has prepared a namespace, asked before the first Workflow there is held by the plugin.

Argo ends a Workflow with an error at once if its agent's accounts or the plugin are missing. The webhook makes nothing
itself: it is the door that everybody talks to, and should have no right to create accounts.
"""

import threading
import time
from collections.abc import Callable

from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS
from webhook.model.deadline import Clock, Deadline
from webhook.model.limits.namespaces import PREPARE_TIMEOUT, PREPARED_LOOK, PREPARED_PATIENCE, PREPARED_REMEMBERED
from webhook.namespaces.hold import OptedIn
from webhook.namespaces.plugin_configmap import NAME


class Prepared:
    """Remembers which namespaces are prepared, by their version, since one may opt out and in again."""

    def __init__(
        self, front: Cluster, *, clock: Clock = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._front, self._clock, self._sleep = front, clock, sleep
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}
        self._flights: dict[str, threading.Lock] = {}

    def wait_for(self, space: OptedIn, latest: Deadline) -> None:
        """Wait until the namespace is prepared. Only one thread looks; others wait for it.

        Raises Unavailable if that takes too long, and any error of the front door.
        """
        if self._is_known(space.version):
            return
        deadline = latest.within(PREPARED_PATIENCE)
        with self._lock:
            flight = self._flights.setdefault(space.version, threading.Lock())
        if not flight.acquire(timeout=max(0.0, deadline.left)):
            raise _unprepared(space)
        try:
            while not self._is_known(space.version):
                self._look(space, deadline)
        finally:
            flight.release()

    def _look(self, space: OptedIn, deadline: Deadline) -> None:
        timeout = deadline.timeout(PREPARE_TIMEOUT, f"to look whether namespace {space.name} is prepared")
        if self._front.find(CONFIG_MAPS, space.name, NAME, read_timeout=timeout) is not None:
            self._remember(space.version)
            return
        if deadline.left < 2 * PREPARED_LOOK:
            raise _unprepared(space)
        self._sleep(PREPARED_LOOK)

    def _is_known(self, version: str) -> bool:
        with self._lock:
            until = self._known.get(version)
            return until is not None and self._clock() < until

    def _remember(self, version: str) -> None:
        with self._lock:
            now = self._clock()
            self._known = {one: until for one, until in self._known.items() if until > now}
            self._known[version] = now + PREPARED_REMEMBERED
            self._flights.pop(version, None)


def _unprepared(space: OptedIn) -> Unavailable:
    return Unavailable(
        f"namespace {space.name} has opted in, but Medea's controller has not prepared it yet; try again in a moment"
    )
