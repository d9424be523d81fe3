"""Kubernetes Events on the origin: the reason of every decision, where `kubectl describe` and the UI show it."""

import datetime
import queue
import threading
import uuid

import structlog

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import EVENTS, WORKFLOWS
from webhook.model.objects import Object

log = structlog.get_logger(__name__)

# Events are for people: when more wait than anybody would read, the next ones are dropped rather than kept.
_MOST_WAITING = 1000


class EventRecorder:
    """Records Events in a thread of its own, so that no Workflow waits for its Event. One that fails is only logged."""

    def __init__(self, front: Cluster) -> None:
        self._front = front
        self._waiting: queue.Queue[Object] = queue.Queue(_MOST_WAITING)

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="events", daemon=True).start()

    def record(self, origin: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Have one Event recorded."""
        try:
            self._waiting.put_nowait(event_of(origin, reason, message, warning=warning))
        except queue.Full:
            log.warning("event dropped", event_reason=reason, workflow=origin["metadata"]["name"])

    def _run(self) -> None:
        while True:
            event = self._waiting.get()
            try:
                self._front.create(EVENTS, event["metadata"]["namespace"], event)
            except MedeaError as error:
                log.info("event not recorded", event_reason=event["reason"], reason=error.message)


def event_of(origin: Object, reason: str, message: str, *, warning: bool) -> Object:
    """The Event object."""
    metadata = origin["metadata"]
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": WORKFLOWS.api_version,
            "kind": WORKFLOWS.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": reason,
        "message": message[:1000],
        "type": "Warning" if warning else "Normal",
        "source": {"component": "medea"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
