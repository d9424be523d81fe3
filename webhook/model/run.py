"""Builds the run from what a user submitted. Pure.

The webhook builds it for the dry run on a target, and the controller for the real create.
"""

import copy
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NotRequired, TypedDict

from webhook.model.contract import (
    ARGO_COMPLETED,
    ARGO_PHASE,
    COPIES,
    ORIGIN_NAME,
    ORIGIN_UID,
    PLACEMENT,
    PREFIX,
)
from webhook.model.finalizers import block_deletion, is_deletion_blocked
from webhook.model.made_workflows import with_living_objects
from webhook.model.objects import Object, annotations, labels

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# If the name is taken on a target, this many characters of the placement's id are appended.
_SUFFIX = 8


class Likeness(Enum):
    """What can be told of a Workflow from its marks."""

    CERTAIN = auto()
    UNCLEAR = auto()
    """It may be the run, with labels taken off or changed, or somebody else's."""
    NONE = auto()


class Original(TypedDict):
    """What the ledger keeps of a submission: the Workflow as sent, and the templates it referred to at that time.

    `config_maps` are those that go along with the run, as they were then; see `webhook.references.taken`. With
    `node_placement` its steps get the selectors of its target's node pools; see `webhook.nodes`.
    """

    workflow: Object
    templates: list[Object]
    config_maps: NotRequired[list[Object]]
    node_placement: NotRequired[bool]


def kept(original: Original) -> Original:
    """As the ledger keeps it: without managedFields and kubectl's annotation, often half of an object."""
    return {
        **original,
        "workflow": _without_notes(original["workflow"]),
        "templates": [_without_notes(template) for template in original["templates"]],
    }


def run_object(original: Object, *, placement: str, name: str, origin_name: str, origin_uid: str) -> Object:
    """The Workflow to create on a target.

    It has no owners: those of the origin are at the front door, and a target's garbage collector would miss them.

    It has a status only if it is a memoized resubmission, which takes nodes over; otherwise the target's controller
    writes it.
    """
    metadata = original.get("metadata", {})
    given = metadata.get("annotations") or {}
    marks = {
        **_without(metadata.get("labels"), (ARGO_COMPLETED, ARGO_PHASE)),
        **run_labels(placement, origin_name=origin_name, origin_uid=origin_uid),
    }
    return {
        "metadata": {
            "name": name,
            "labels": marks,
            "annotations": _without(given, (_LAST_APPLIED,)) | ({COPIES: given[COPIES]} if COPIES in given else {}),
            "finalizers": block_deletion(()),
        },
        "spec": with_living_objects(original["spec"]),
        **({"status": copy.deepcopy(original["status"])} if "status" in original else {}),
    }


def run_labels(placement: str, *, origin_name: str, origin_uid: str) -> dict[str, str]:
    """The labels by which a run is known."""
    return {PLACEMENT: placement, ORIGIN_UID: origin_uid, ORIGIN_NAME: label_value(origin_name)}


def likeness(workflow: Object, placement: str, *, origin_name: str, origin_uid: str) -> Likeness:
    """How surely a Workflow on a target, whose uid is not known, is the run of a placement.

    Both labels are checked, since one could be copied, and the name: `argo resubmit` on the target copies all labels,
    and what it makes belongs to somebody else.
    """
    if workflow["metadata"]["name"] not in run_names(origin_name, placement) or origin_placement(workflow):
        return Likeness.NONE
    told = labels(workflow).get(PLACEMENT), labels(workflow).get(ORIGIN_UID)
    if told in ((placement, origin_uid), (placement, None), (None, origin_uid)):
        return Likeness.CERTAIN
    if placement in told or origin_uid in told:
        return Likeness.UNCLEAR
    return Likeness.UNCLEAR if told == (None, None) and is_deletion_blocked(workflow) else Likeness.NONE


def run_names(origin_name: str, placement: str) -> tuple[str, str]:
    """The names a run may have: its origin's, or another one if that is taken on the target."""
    return origin_name, f"{origin_name[: 62 - _SUFFIX]}-{placement[:_SUFFIX]}"


def label_value(text: str) -> str:
    """A name shortened to a valid label value: at most 63 characters, ending in a letter or digit."""
    return text[:63].rstrip("-.")


def origin_placement(workflow: Object) -> str | None:
    """The placement of an origin; None for a run, which is in the same cluster if the front door is a target too."""
    return None if ORIGIN_UID in labels(workflow) else annotations(workflow).get(PLACEMENT)


def run_placement(workflow: Object) -> str | None:
    """The placement of a run; None if it is not one."""
    return labels(workflow).get(PLACEMENT)


def _without_notes(thing: Object) -> Object:
    metadata = {key: value for key, value in thing.get("metadata", {}).items() if key != "managedFields"}
    given = metadata.get("annotations") or {}
    if _LAST_APPLIED in given:
        metadata["annotations"] = {key: value for key, value in given.items() if key != _LAST_APPLIED}
    return {**thing, "metadata": metadata} if "metadata" in thing else thing


def _without(given: Mapping[str, str] | None, dropped: Iterable[str]) -> dict[str, str]:
    """The user's own labels or annotations: without Medea's, and without those in `dropped`."""
    unwanted = set(dropped)
    return {key: value for key, value in (given or {}).items() if not key.startswith(PREFIX) and key not in unwanted}
