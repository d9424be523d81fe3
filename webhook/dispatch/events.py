"""Kubernetes Events on the origin: the reason of every decision, where `kubectl describe` and the UI show it."""

import datetime
import uuid
from typing import Any

import structlog

from webhook.clusters.client import Cluster
from webhook.clusters.kinds import EVENTS, WORKFLOWS
from webhook.errors import MedeaError

log = structlog.get_logger(__name__)


def tell(front: Cluster, origin: dict[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
    """Record one Event. Events are for people: one that can't be recorded changes nothing, so it is only logged."""
    metadata = origin["metadata"]
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
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
    try:
        front.create(EVENTS, metadata["namespace"], event)
    except MedeaError as error:
        log.info("event not recorded", event=reason, workflow=metadata["name"], reason=error.message)
