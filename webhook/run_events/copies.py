"""Which of a run's Events are shown on its origin, and how. Pure."""

import hashlib
from collections.abc import Iterable, Mapping

from webhook.controller.template_names import in_own_words, own_names
from webhook.kube.resources import EVENTS, WORKFLOWS
from webhook.model.contract import ARGO, MIRRORED
from webhook.model.limits.kube import LONGEST_EVENT
from webhook.model.limits.run_events import MOST_EVENTS, MOST_NOTES
from webhook.model.objects import Metadata, Object, annotations

ARGO_CONTROLLER = "workflow-controller"
OF_WORKFLOWS = f"involvedObject.kind={WORKFLOWS.kind},source={ARGO_CONTROLLER}"
"""Selects, by fields, the Events that Argo's controller makes of Workflows."""

_OF_NODES = "WorkflowNode"
_KEPT = ("count", "firstTimestamp", "lastTimestamp", "eventTime")
_TEXTS = ("reason", "message", "type")


def slim(event: Object) -> Object:
    """The part of an Event that is kept in memory. Its texts are cut: an apiserver lets them have a megabyte."""
    metadata = event["metadata"]
    known = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
    argos = [(key, value[:LONGEST_EVENT]) for key, value in annotations(event).items() if key.startswith(ARGO)]
    notes = dict(argos[:MOST_NOTES])
    kept = {key: event[key] for key in _KEPT if event.get(key) is not None}
    kept |= {key: str(event[key])[:LONGEST_EVENT] for key in _TEXTS if event.get(key) is not None}
    kept.setdefault("message", "")
    return {**kept, "metadata": {**known, "annotations": notes}, "involvedObject": {"uid": uid_of_run(event)}}


def uid_of_run(event: Object) -> str:
    """The uid of the Workflow that an Event is about."""
    return str(event["involvedObject"].get("uid"))


def due(events: Iterable[Object], written: Mapping[str, str]) -> list[Object]:
    """The Events to write now, in order; `written` has the versions that were written, by the Events' uids."""
    shown = sorted(events, key=_order)[:MOST_EVENTS]
    return [one for one in shown if written.get(one["metadata"]["uid"]) != version_of(one)]


def version_of(event: Object) -> str:
    """A value that changes with each change of the Event."""
    return str(event["metadata"].get("resourceVersion"))


def count_of(event: Object) -> int:
    """How often it has happened."""
    return int(event.get("count", 1))


def named_as_here(event: Object, run: Object, origin: Object) -> Object:
    """The Event with the names that people know: their templates', not those of copies, and the origin's own."""
    old, new = run["metadata"]["name"], origin["metadata"]["name"]
    message, metadata = in_own_words(event["message"], own_names(run)), event["metadata"]
    if old != new:
        message = message.replace(old, new)
        notes = {key: value.replace(old, new) for key, value in metadata["annotations"].items()}
        metadata = {**metadata, "annotations": notes}
    return {**event, "message": message, "metadata": metadata}


def copy_of(event: Object, origin: Object, cluster: str) -> Object:
    """The Event to create at the front door.

    Its name is made of the uid that the Event has on the target, so that whoever creates it a second time finds it.
    """
    metadata: Metadata = origin["metadata"]
    first = event.get("firstTimestamp") or event.get("eventTime")
    mark = hashlib.sha256(event["metadata"]["uid"].encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{metadata['name'][:200].rstrip('-.')}.{mark}",
            "namespace": metadata["namespace"],
            "labels": {MIRRORED: cluster},
            "annotations": event["metadata"]["annotations"],
        },
        "involvedObject": {
            "apiVersion": WORKFLOWS.api_version,
            "kind": WORKFLOWS.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "source": {"component": ARGO_CONTROLLER},
        "reportingComponent": ARGO_CONTROLLER,
        "type": event.get("type", "Normal"),
        "reason": event.get("reason", ""),
        "firstTimestamp": first,
        **changes_of(event),
    }


def changes_of(event: Object) -> Object:
    """What changes about an Event when it happens again."""
    last = event.get("lastTimestamp") or event.get("firstTimestamp") or event.get("eventTime")
    return {"message": event["message"], "count": count_of(event), "lastTimestamp": last}


def _order(event: Object) -> tuple[bool, str, str]:
    of_node = str(event.get("reason", "")).startswith(_OF_NODES)
    return of_node, str(event.get("firstTimestamp", "")), str(event["metadata"]["uid"])
