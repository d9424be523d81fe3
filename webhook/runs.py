"""The run, as it is made from what a user submitted. Pure.

The webhook sends it to a target for a dry run, dispatch for real, so both make it here.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from webhook.contract import (
    ARGO_COMPLETED,
    ARGO_PHASE,
    COPIED,
    FINALIZER,
    ORIGIN_NAME,
    ORIGIN_UID,
    PLACEMENT,
    PREFIX,
)

Object = dict[str, Any]

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# A name on a target that a stranger holds is made our own with this much of the placement's id.
_SUFFIX = 8


class Original(TypedDict):
    """What the ledger keeps of a submission: the Workflow as sent, and the templates it referred to, as they were."""

    workflow: Object
    templates: list[Object]


def run_object(original: Object, *, placement: str, name: str, origin_name: str, origin_uid: str) -> Object:
    """The Workflow to create on a target.

    A target's own controller writes its status; it only brings the nodes that a memoized resubmission takes over.
    """
    metadata = original.get("metadata", {})
    labels = {
        **_without(metadata.get("labels"), (ARGO_COMPLETED, ARGO_PHASE)),
        PLACEMENT: placement,
        ORIGIN_UID: origin_uid,
        ORIGIN_NAME: label_value(origin_name),
    }
    return {
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": _without(metadata.get("annotations"), (_LAST_APPLIED,)),
            "finalizers": [FINALIZER],
        },
        "spec": copy.deepcopy(original["spec"]),
        **({"status": copy.deepcopy(original["status"])} if "status" in original else {}),
    }


def run_names(origin_name: str, placement: str) -> tuple[str, str]:
    """The names a run may have: its origin's, or, where a stranger has that one, a name of its own."""
    return origin_name, f"{origin_name[: 62 - _SUFFIX]}-{placement[:_SUFFIX]}"


def label_value(text: str) -> str:
    """A name as a label may hold it: at most 63 characters, ending in a letter or digit."""
    return text[:63].rstrip("-.")


def template_copy(template: Object) -> Object:
    """A WorkflowTemplate as it is copied to a target."""
    metadata = template["metadata"]
    return {
        "metadata": {
            "name": metadata["name"],
            "labels": {**_without(metadata.get("labels"), ()), COPIED: "true"},
            "annotations": _without(metadata.get("annotations"), (_LAST_APPLIED,)),
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _without(given: Mapping[str, str] | None, dropped: Iterable[str]) -> dict[str, str]:
    """The user's own labels or annotations: Medea's never travel, and neither do those named."""
    unwanted = set(dropped)
    return {key: value for key, value in (given or {}).items() if not key.startswith(PREFIX) and key not in unwanted}
