"""Labels and annotations that the target's Argo gives a run, and its origin shows. Pure."""

from webhook.model.contract import ARGO_COMPLETED, ARGO_INSTANCE, ARGO_PHASE, ARGO_POD_NAMES, PREFIX
from webhook.model.objects import Object, annotations, labels, mapping, spec_of, status_of

_MEDEAS = (ARGO_COMPLETED, ARGO_PHASE, ARGO_INSTANCE)
"""Labels that say something else at the origin than at the run."""


def labels_set(run: Object | None) -> dict[str, str]:
    """The labels of its `workflowMetadata`, as for `argo list -l`: fixed ones, and those from expressions."""
    wanted = _workflow_metadata(run)
    return _shown(labels(run or {}), {**mapping(wanted.get("labels")), **mapping(wanted.get("labelsFrom"))})


def annotations_set(run: Object | None) -> dict[str, str]:
    """The annotations likewise, and how its pods are named: Argo's UI and CLI compute their names."""
    wanted = mapping(_workflow_metadata(run).get("annotations"))
    return _shown(annotations(run or {}), {**wanted, ARGO_POD_NAMES: None})


def _workflow_metadata(run: Object | None) -> Object:
    """What Argo has merged from the Workflow's own spec and that of its WorkflowTemplate."""
    if run is None:
        return {}
    stored = mapping(status_of(run).get("storedWorkflowTemplateSpec"))
    return mapping((stored or spec_of(run)).get("workflowMetadata"))


def _shown(there: dict[str, str], wanted: Object) -> dict[str, str]:
    return {key: there[key] for key in wanted if key in there and not key.startswith(PREFIX) and key not in _MEDEAS}
