"""Workflows and other objects that a run makes on its target with resource templates. Pure.

Medea does not place them: they are made where the run is, by the account that it runs as. Two things in the manifests
are changed. An owner that is written with its uid is an object of the front door, as in what `argo cron backfill`
submits: on a target that owner does not exist, and its garbage collector would remove what was just made. And a
Workflow gets the uid of the run as a label, so that it can be shown beneath its parent.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.contract import ARGO_ARTIFACT_GC, MADE_BY
from webhook.model.limits.model import LONGEST_MADE_MESSAGE, MADE_READ
from webhook.model.manifest_text import edited
from webhook.model.objects import Object, labels, mapping, mappings, status_of, texts
from webhook.totals.manifests import is_workflow
from webhook.totals.shape import inner_templates

_CREATING = ("create", "apply")
_OWNERS = "ownerReferences"
_UID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHOWN = ("phase", "message", "progress", "startedAt", "finishedAt")
_IDENTITY = ("name", "namespace", "uid", "resourceVersion")


@dataclass(frozen=True)
class Made:
    """A Workflow that a run has made. `status` has those of its fields that are shown.

    `artifacts_to_delete` is whether Argo has to delete artifacts before it can go.
    """

    name: str
    uid: str
    status: Mapping[str, str]
    artifacts_to_delete: bool = False


def with_living_objects(spec: Mapping[str, Any]) -> Object:
    """A copy of a run's spec or of a template's, in which nothing that is made has an owner that is not there.

    Manifests that can't be read before they are used stay as they are, and so do those beyond MADE_READ characters.
    """
    made: Object = copy.deepcopy(dict(spec))
    _Editor().change(made)
    return made


def slim_made(workflow: Object) -> Object:
    """The part of a Workflow that is kept in memory."""
    metadata, status = workflow["metadata"], status_of(workflow)
    shown = {key: status[key][:LONGEST_MADE_MESSAGE] for key in _SHOWN if isinstance(status.get(key), str)}
    kept = {key: metadata[key] for key in _IDENTITY if key in metadata}
    finalizers = [ARGO_ARTIFACT_GC] if has_artifacts_to_delete(workflow) else []
    return {"metadata": {**kept, "labels": {MADE_BY: made_by(workflow)}, "finalizers": finalizers}, "status": shown}


def as_made(workflow: Object) -> Made:
    """What there is to know of a Workflow that a run has made, slim or whole."""
    metadata = workflow["metadata"]
    artifacts = has_artifacts_to_delete(workflow)
    return Made(str(metadata["name"]), str(metadata["uid"]), status_of(workflow), artifacts)


def has_artifacts_to_delete(workflow: Mapping[str, Any]) -> bool:
    """Whether Argo has to delete artifacts of it before it can go."""
    return ARGO_ARTIFACT_GC in texts(workflow["metadata"].get("finalizers"))


def made_by(workflow: Mapping[str, Any]) -> str:
    """The uid of the run that has made a Workflow; empty if none has."""
    return labels(workflow).get(MADE_BY, "")


@dataclass
class _Editor:
    """Changes specs in place. `room` is how many characters of manifests may still be read."""

    room: int = MADE_READ

    def change(self, spec: Object) -> None:
        for template in [*mappings(spec.get("templates")), mapping(spec.get("templateDefaults"))]:
            for inner in inner_templates(template):
                self._change_resource(mapping(inner.get("resource")))

    def _change_resource(self, resource: Object) -> None:
        manifest = resource.get("manifest")
        if resource.get("action") not in _CREATING or not isinstance(manifest, str):
            return
        # Most manifests have neither, and reading YAML takes a while.
        if _OWNERS in manifest or "Workflow" in manifest:
            self.room -= len(manifest)
            if self.room >= 0:
                resource["manifest"] = edited(manifest, self._changed) or manifest

    def _changed(self, documents: list[Object]) -> bool:
        changed = [_without_absent_owners(one) | self._marked(one) for one in documents]
        return any(changed)

    def _marked(self, thing: Object) -> bool:
        if not _labelled(thing):
            return False
        if isinstance(thing.get("spec"), dict):
            self.change(thing["spec"])
        return True


def _without_absent_owners(thing: Object) -> bool:
    """Leave out owners with a uid that is written out. One that a tag gives is an object of the target, as the run."""
    metadata = mapping(thing.get("metadata"))
    owners = metadata.get(_OWNERS)
    if not isinstance(owners, list):
        return False
    there = [one for one in owners if not (isinstance(one, dict) and _UID.fullmatch(str(one.get("uid"))))]
    if len(there) == len(owners):
        return False
    if there:
        metadata[_OWNERS] = there
    else:
        del metadata[_OWNERS]
    return True


def _labelled(thing: Object) -> bool:
    """Give a Workflow the label; whether it has it now."""
    if not is_workflow(thing):
        return False
    metadata = thing.setdefault("metadata", {})
    marks = metadata.setdefault("labels", {}) if isinstance(metadata, dict) else None
    if not isinstance(marks, dict):
        return False
    marks[MADE_BY] = "{{workflow.uid}}"
    return True
