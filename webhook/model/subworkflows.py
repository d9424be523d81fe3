"""Sub-Workflows, which steps start: how they are marked, and how the marks are read. Pure."""

from collections.abc import Mapping
from typing import Any

from webhook.model.contract import FINAL_PHASES, PARENT, PARENT_UID, STEP, STOPPED
from webhook.model.objects import Object, annotations, labels, mappings, spec_of, status_of
from webhook.model.run import label_value
from webhook.model.verbs import pending

_SHUTDOWNS = ("Stop", "Terminate")
_OWNER = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}


def marked(metadata: Mapping[str, Any], *, name: str, parent: str, parent_uid: str) -> Object:
    """The metadata of a sub-Workflow. Its parent owns it, so that both are deleted together."""
    return {
        **metadata,
        "name": name,
        "labels": {**metadata.get("labels", {}), PARENT: label_value(parent), PARENT_UID: parent_uid},
        "annotations": {**metadata.get("annotations", {}), STEP: name},
        "ownerReferences": [{**_OWNER, "name": parent, "uid": parent_uid}],
    }


def parent_of(workflow: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name and uid of the Workflow whose step started this one; None if no step did.

    `argo resubmit` copies labels, annotations and owners, so a copy is recognized by its different name.
    """
    metadata, uid = workflow["metadata"], labels(workflow).get(PARENT_UID)
    if uid is None or annotations(workflow).get(STEP) != metadata["name"]:
        return None
    owners = (owner for owner in mappings(metadata.get("ownerReferences")) if owner.get("uid") == uid)
    return next(((str(owner["name"]), uid) for owner in owners if "name" in owner), None)


def ended(workflow: Mapping[str, Any]) -> str | None:
    """The final phase of a Workflow; None if it has not ended."""
    phase = status_of(workflow).get("phase")
    return phase if isinstance(phase, str) and phase in FINAL_PHASES else None


def shutdown_of(workflow: Mapping[str, Any]) -> str | None:
    """`Stop` or `Terminate`, if its spec says so or a pending verb does; otherwise None."""
    told = [verb.shutdown for verb in pending(workflow) if verb.shutdown]
    word = told[-1] if told else _text(spec_of(workflow), "shutdown")
    return word if word in _SHUTDOWNS else None


def shutdown_with_parent(child: Mapping[str, Any], parent: Mapping[str, Any]) -> str | None:
    """How a sub-Workflow is to be stopped because of its parent; None if it is to be left alone.

    One that a person retried after its parent ended goes on.
    """
    if ended(child) or _deleting(child) or _deleting(parent) or _retried_after(child, parent):
        return None
    wanted = shutdown_of(parent) or ("Stop" if ended(parent) else None)
    told = {shutdown_of(child), annotations(child).get(STOPPED)}
    return None if wanted is None or told & {wanted, "Terminate"} else wanted


def _retried_after(child: Mapping[str, Any], parent: Mapping[str, Any]) -> bool:
    # Kubernetes' times sort correctly as strings.
    finished = _text(status_of(parent), "finishedAt")
    created = _text(child["metadata"], "creationTimestamp")
    started = _text(status_of(child), "startedAt")
    return bool(finished) and created <= finished < started


def _text(section: Mapping[str, Any], key: str) -> str:
    value = section.get(key)
    return value if isinstance(value, str) else ""


def _deleting(workflow: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in workflow["metadata"]
