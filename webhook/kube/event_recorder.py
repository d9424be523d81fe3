"""Records Kubernetes Events on origins, where `kubectl describe` and the UI show the reason of every decision."""

import threading
import time
import uuid
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from webhook.errors import MedeaError
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.resources import EVENTS, WORKFLOWS
from webhook.model.deadline import utc_now
from webhook.model.limits.kube import EVENT_THREADS, EVENT_WARNING_EVERY, LONGEST_EVENT, WAITING_EVENTS
from webhook.model.moments import written
from webhook.model.objects import Metadata, Object

log = structlog.get_logger(__name__)
_RECORDED = Counter("medea_events_total", "Kubernetes Events: recorded, or dropped", ["outcome"])


class EventRecorder:
    """Records Events in its own threads, so that no Workflow waits for its Event.

    Events are only for people: repetitions of a waiting one are counted, further ones are dropped if too many wait, and
    one that fails is not retried.
    """

    def __init__(self, front: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._front, self._clock = front, clock
        self._waiting: dict[tuple[str, str, str], Object] = {}
        self._changed = threading.Condition()
        self._dropped = 0
        self._warned = -EVENT_WARNING_EVERY

    def start(self) -> None:
        """Start the threads."""
        for number in range(EVENT_THREADS):
            threads.start_loop(f"events-{number}", self._turn, stop=threading.Event())

    def record(self, origin: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Queue one Event. Never raises."""
        with threads.isolated("events"), self._changed:
            event = event_of(origin, reason, message, warning=warning)
            same = self._waiting.get(_key(event))
            if same:
                same |= {"count": same["count"] + 1, "lastTimestamp": event["lastTimestamp"]}
            elif len(self._waiting) >= WAITING_EVENTS:
                self._drop("too many are waiting")
            else:
                self._waiting[_key(event)] = event
                self._changed.notify()

    def step(self) -> bool:
        """Send the Event that has waited longest, in the caller's thread. False if there is none."""
        with self._changed:
            key = next(iter(self._waiting), None)
            event = self._waiting.pop(key) if key else None
        if event is None:
            return False
        try:
            self._front.create(EVENTS, event["metadata"]["namespace"], event)
        except MedeaError as error:
            with self._changed:
                self._drop(error.message)
        else:
            _RECORDED.labels("recorded").inc()
        return True

    def _turn(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
        self.step()

    def _drop(self, why: str) -> None:
        """Count a dropped Event. Logged at most every EVENT_WARNING_EVERY, since thousands may be dropped at once."""
        _RECORDED.labels("dropped").inc()
        self._dropped += 1
        if self._clock() - self._warned >= EVENT_WARNING_EVERY:
            log.warning("events dropped", count=self._dropped, reason=why)
            self._dropped, self._warned = 0, self._clock()


def _key(event: Object) -> tuple[str, str, str]:
    return event["involvedObject"]["uid"], event["reason"], event["message"]


def event_of(origin: Object, reason: str, message: str, *, warning: bool) -> Object:
    """The Event object."""
    metadata: Metadata = origin["metadata"]
    now = written(utc_now())
    return {
        "metadata": {
            "name": f"{metadata['name'][:200].rstrip('-.')}.{uuid.uuid4().hex[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": WORKFLOWS.api_version,
            "kind": WORKFLOWS.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": reason,
        "message": message[:LONGEST_EVENT],
        "type": "Warning" if warning else "Normal",
        "source": {"component": "medea"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
