"""A Workflow that a CronWorkflow has made. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.cron.workflow import name_of
from webhook.kube.resources import CRON_WORKFLOWS, WORKFLOWS
from webhook.model.contract import ARGO_CRON, ARGO_CRON_TIME, FINAL_PHASES
from webhook.model.moments import seconds_of
from webhook.model.objects import Object, annotations, labels, mappings, spec_of, status_of


@dataclass(frozen=True)
class Child:
    """A Workflow that a CronWorkflow owns. `tick` is the one that it is of, in seconds since the epoch."""

    uid: str
    namespace: str
    name: str
    phase: str = ""
    finished: str = ""
    tick: int | None = None
    shut_down: bool = False
    going: bool = False
    version: str = field(default="", compare=False)

    @property
    def ended(self) -> bool:
        """Whether it has a final phase."""
        return self.phase in FINAL_PHASES

    def reference(self) -> Object:
        """As it stands in `status.active`."""
        return {
            "apiVersion": WORKFLOWS.api_version,
            "kind": WORKFLOWS.kind,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "resourceVersion": self.version,
        }


def owner_of(workflow: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name and uid of the CronWorkflow that a Workflow is of; None if it is of none."""
    for owner in mappings(workflow["metadata"].get("ownerReferences")):
        name, uid = owner.get("name"), owner.get("uid")
        if owner.get("kind") == CRON_WORKFLOWS.kind and owner.get("controller") is True:
            ours = isinstance(name, str) and isinstance(uid, str) and labels(workflow).get(ARGO_CRON) == name
            return (str(name), str(uid)) if ours else None
    return None


def child_of(workflow: Mapping[str, Any], owner: str) -> Child:
    """A Workflow as a child of the CronWorkflow of this name."""
    metadata, status = workflow["metadata"], status_of(workflow)
    tick = seconds_of(annotations(workflow).get(ARGO_CRON_TIME))
    return Child(
        uid=str(metadata["uid"]),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        phase=str(status.get("phase") or ""),
        finished=str(status.get("finishedAt") or ""),
        # A copy, as by `argo resubmit`, has the annotation but another name.
        tick=tick if tick is not None and metadata["name"] == name_of(owner, tick) else None,
        shut_down=bool(spec_of(workflow).get("shutdown")),
        going="deletionTimestamp" in metadata,
        version=str(metadata.get("resourceVersion") or ""),
    )
