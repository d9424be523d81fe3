"""Reads a submitted Workflow: whether it concerns Medea, and what its user asks for. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.errors import Refused, wrong_field
from webhook.kube.resources import is_name
from webhook.model.contract import CLUSTERS, FIT, IDENTITY, MAKES, PLACEMENT, POLICY, SKIP, SPLIT, SPLIT_OF
from webhook.model.json_input import check_storable
from webhook.model.objects import Object
from webhook.references.model import Kind
from webhook.splitting.asked import Asked, asked

_CLUSTER_NAMES = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\s*,\s*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Submission:
    """A submitted Workflow; the types of all fields have been checked."""

    workflow: Object
    metadata: Object
    spec: Object
    annotations: Mapping[str, str]
    labels: Mapping[str, str]

    @property
    def name(self) -> str | None:
        """Its name; None if the apiserver is to generate one, as usual with `argo submit`."""
        return self.metadata.get("name") or None

    @property
    def generate_name(self) -> str | None:
        """The prefix of the name that the apiserver will generate; None if there is none."""
        return self.metadata.get("generateName") or None

    @property
    def skipped(self) -> bool:
        """Whether its user wants Medea to leave it alone."""
        value = self.annotations.get(SKIP, "false")
        if value not in ("true", "false"):
            raise wrong_field(Refused, f"annotation {SKIP}", value, 'it must be "true" or "false"')
        return value == "true"

    @property
    def only_clusters(self) -> tuple[str, ...] | None:
        """The targets that its user restricts the choice to; None if all are allowed."""
        value = self.annotations.get(CLUSTERS)
        if value is None:
            return None
        if not _CLUSTER_NAMES.fullmatch(value.strip()):
            expected = "it must be names of target clusters with commas between, such as west,east"
            raise wrong_field(Refused, f"annotation {CLUSTERS}", value, expected)
        return tuple(dict.fromkeys(name.strip() for name in value.split(",")))

    @property
    def policy(self) -> str:
        """The name of the policy its user asks for."""
        return self.annotations.get(POLICY, "random")

    @property
    def elastic(self) -> bool | None:
        """Whether its user says that it can end where only its largest pod fits; None if nothing is said."""
        value = self.annotations.get(FIT)
        if value is not None and value not in ("whole", "elastic"):
            raise wrong_field(Refused, f"annotation {FIT}", value, "it must be whole or elastic")
        return None if value is None else value == "elastic"

    @property
    def makes(self) -> frozenset[tuple[str, str]]:
        """The kinds and names of what its user says that it makes itself."""
        parts = [part.strip().partition("/") for part in self.annotations.get(MAKES, "").split(",") if part.strip()]
        for kind, _, name in parts:
            if kind not in set(Kind) or not is_name(name):
                expected = f"it must be KIND/NAME with commas between, KIND one of {', '.join(Kind)}"
                raise wrong_field(Refused, f"annotation {MAKES}", self.annotations[MAKES], expected)
        return frozenset((kind, name) for kind, _, name in parts)

    @property
    def is_run(self) -> bool:
        """Whether it has the label of a run; runs are created here too if the front door is also a target."""
        return PLACEMENT in self.labels

    @property
    def identity(self) -> str | None:
        """The caller that Medea's API has named; to be trusted only from Medea's own user."""
        return self.annotations.get(IDENTITY)

    @property
    def split(self) -> Asked | None:
        """Into how many chunks its user wants it split; None if it runs as it is."""
        return asked(self.annotations.get(SPLIT))

    @property
    def part_of(self) -> str | None:
        """The placement that it is a chunk of; to be trusted only from Medea's own user."""
        return self.labels.get(SPLIT_OF)

    @property
    def template_reference(self) -> tuple[str, bool] | None:
        """Name of the WorkflowTemplate it is made from, and whether that is a ClusterWorkflowTemplate."""
        reference = self.spec.get("workflowTemplateRef")
        if reference is None:
            return None
        if not isinstance(reference, dict) or not isinstance(reference.get("name"), str) or not reference["name"]:
            raise wrong_field(Refused, "spec.workflowTemplateRef", reference, "it must have a name")
        return reference["name"], reference.get("clusterScope") is True


def read_submission(workflow: Object) -> Submission:
    """Check the parts of a Workflow that Medea reads. Raises Refused with the field that is wrong."""
    check_storable(Refused, "Workflow", workflow)
    metadata = _mapping("metadata", workflow.get("metadata"))
    _texts("metadata", {key: metadata[key] for key in ("name", "generateName") if key in metadata})
    return Submission(
        workflow=workflow,
        metadata=metadata,
        spec=_mapping("spec", workflow.get("spec")),
        annotations=_texts("metadata.annotations", metadata.get("annotations")),
        labels=_texts("metadata.labels", metadata.get("labels")),
    )


def _mapping(field: str, value: Any) -> Object:
    if not isinstance(value, dict):
        raise wrong_field(Refused, field, value, "it must be an object")
    return value


def _texts(field: str, value: Any) -> dict[str, str]:
    texts = {} if value is None else _mapping(field, value)
    for key, text in texts.items():
        if not isinstance(text, str):
            raise wrong_field(Refused, f"{field}.{key}", text, "it must be a text")
    return texts
