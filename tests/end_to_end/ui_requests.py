"""What the pages of Argo's UI ask argo-server for, as recorded from its source (Argo Workflows 3.7.4).

Each is named by what a person does. `{…}` is filled in by whoever asks: the namespace, and what was seen before. Files
are those of Argo's folder `ui/src`; the requests themselves are made in its `shared/services/`. Left out are pages that
show nothing of a Workflow: editing templates and CronWorkflows, event sources, sensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_EMPTY: dict[str, str] = {}


@dataclass(frozen=True)
class Request:
    """One request; `streams` if it is an EventSource's."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    body: Any = None
    streams: bool = False


def _get(path: str, **query: str) -> Request:
    return Request("GET", path, _dotted(query))


def _put(path: str, body: Any = None) -> Request:
    return Request("PUT", path, body=body)


def _stream(path: str, **query: str) -> Request:
    return Request("GET", path, _dotted(query), streams=True)


def _dotted(query: Mapping[str, str]) -> dict[str, str]:
    """`listOptions_limit` is `listOptions.limit`."""
    return {key.replace("_", "."): value for key, value in query.items()}


_WORKFLOWS = "api/v1/workflows/{namespace}"
_WORKFLOW = f"{_WORKFLOWS}/{{name}}"
_ARCHIVED = "api/v1/archived-workflows/{uid}"
_ARTIFACT = "artifact-files/{namespace}/workflows/{name}/{node}"
_ROW = (
    "metadata.uid",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.labels",
    "metadata.annotations",
    "status.phase",
    "status.message",
    "status.finishedAt",
    "status.startedAt",
    "status.estimatedDuration",
    "status.progress",
    "spec.suspend",
)
_CHART = ("metadata.name", "status.phase", "status.startedAt", "status.finishedAt", "status.resourcesDuration")
_LIST_FIELDS = ",".join(["metadata", *(f"items.{one}" for one in _ROW)])
_CHART_FIELDS = ",".join(f"items.{one}" for one in _CHART)
_WATCH_FIELDS = ",".join(
    ["result.type", "result.object.metadata.resourceVersion", *(f"result.object.{one}" for one in _ROW)]
)
_ONE = "metadata.namespace={namespace},metadata.name={name}"
_PHASES = "workflows.argoproj.io/phase in ({phases})"

REQUESTS: dict[str, Request] = {
    # app-router.tsx, shared/use-collect-event.ts
    "open the UI: who am I": _get("api/v1/userinfo"),
    "open the UI: links and columns": _get("api/v1/info"),
    "open the UI: version": _get("api/v1/version"),
    "open a page: count it": Request("POST", "api/v1/tracking/event", body={"name": "openedWorkflowList"}),
    # workflows/components/workflows-list, workflow-filters
    "open the list": _get(_WORKFLOWS, listOptions_limit="{size}", nameFilter="Contains", fields=_LIST_FIELDS),
    "list: watch it": _stream(
        "api/v1/workflow-events/{namespace}",
        listOptions_fieldSelector="metadata.namespace={namespace}",
        listOptions_resourceVersion="{version}",
        fields=_WATCH_FIELDS,
    ),
    "list: choose phases": _get(
        _WORKFLOWS,
        listOptions_labelSelector=_PHASES,
        listOptions_limit="50",
        nameFilter="Contains",
        fields=_LIST_FIELDS,
    ),
    "list: type a part of a name": _get(
        _WORKFLOWS,
        listOptions_fieldSelector="metadata.name={part}",
        listOptions_limit="50",
        nameFilter="Contains",
        fields=_LIST_FIELDS,
    ),
    "list: turn the page": _get(
        _WORKFLOWS,
        listOptions_limit="{size}",
        listOptions_continue="{next}",
        nameFilter="Contains",
        fields=_LIST_FIELDS,
    ),
    "list: templates to filter by": _get("api/v1/workflow-templates/{namespace}"),
    "list: CronWorkflows to filter by": _get("api/v1/cron-workflows/{namespace}"),
    # workflows/components/workflows-row: unfold a row (workflow-drawer.tsx); open a Workflow (workflow-details.tsx)
    "open a Workflow": _get(_WORKFLOW),
    "Workflow: watch it": _stream("api/v1/workflow-events/{namespace}", listOptions_fieldSelector=_ONE),
    # workflows/components/events-panel.tsx, for a Workflow and for a node's pod
    "Workflow: its Events": _stream(
        "api/v1/stream/events/{namespace}",
        listOptions_fieldSelector="involvedObject.kind=Workflow,involvedObject.name={name}",
    ),
    "node: Events of its pod": _stream(
        "api/v1/stream/events/{namespace}",
        listOptions_fieldSelector="involvedObject.kind=Pod,involvedObject.name={pod}",
    ),
    # workflows/components/workflow-logs-viewer; `podName` is missing for all pods
    "node: log of a container": _stream(
        f"{_WORKFLOW}/log", logOptions_container="{container}", grep="{grep}", logOptions_follow="true", podName="{pod}"
    ),
    "Workflow: logs of all pods": _stream(
        f"{_WORKFLOW}/log", logOptions_container="main", grep="", logOptions_follow="true"
    ),
    "node: archived log": _get(f"{_ARTIFACT}/outputs/main-logs"),
    # workflows/components/workflow-artifacts.tsx, workflow-node-info, workflow-details/artifact-panel.tsx
    "node: output artifact": _get(f"{_ARTIFACT}/outputs/{{artifact}}"),
    "node: input artifact": _get(f"{_ARTIFACT}/inputs/{{artifact}}"),
    # workflows/components/workflow-creator.tsx, submit-workflow-panel.tsx, workflow-editor.tsx
    "submit: choose a template": _get("api/v1/workflow-templates/{namespace}"),
    "submit: the template's form": Request(
        "POST",
        f"{_WORKFLOWS}/submit",
        body={
            "namespace": "{namespace}",
            "resourceKind": "WorkflowTemplate",
            "resourceName": "{template}",
            "submitOptions": {
                "entryPoint": "{entrypoint}",
                "parameters": "{parameters}",
                "labels": "submit-from-ui=true",
            },
        },
    ),
    "submit: an edited Workflow": Request("POST", _WORKFLOWS, body={"workflow": "{workflow}"}),
    # shared/workflow-operations-map.ts: the menu of a Workflow, and of rows that are ticked
    "menu: suspend": _put(f"{_WORKFLOW}/suspend"),
    "menu: resume": _put(f"{_WORKFLOW}/resume", {"nodeFieldSelector": None}),
    "menu: stop": _put(f"{_WORKFLOW}/stop"),
    "menu: terminate": _put(f"{_WORKFLOW}/terminate"),
    "menu: delete": Request("DELETE", _WORKFLOW),
    "ticked rows: retry": _put(f"{_WORKFLOW}/retry"),
    "ticked rows: resubmit": _put(f"{_WORKFLOW}/resubmit"),
    # workflows/components/retry-workflow-panel.tsx, retry-workflow-node-panel.tsx, resubmit-workflow-panel.tsx
    "panel: retry": _put(
        f"{_WORKFLOW}/retry", {"parameters": "{parameters}", "restartSuccessful": False, "nodeFieldSelector": ""}
    ),
    "panel: retry a node": _put(
        f"{_WORKFLOW}/retry", {"parameters": [], "restartSuccessful": True, "nodeFieldSelector": "id={node}"}
    ),
    "panel: resubmit": _put(f"{_WORKFLOW}/resubmit", {"parameters": "{parameters}", "memoized": "{memoized}"}),
    # workflows/components/workflow-details: a node that waits for an answer (suspend-inputs.tsx)
    "node: set its answer": _put(
        f"{_WORKFLOW}/set", {"nodeFieldSelector": "id={node}", "outputParameters": "{answers}"}
    ),
    "node: resume it": _put(f"{_WORKFLOW}/resume", {"nodeFieldSelector": "id={node}"}),
    # workflow-details.tsx, when a Workflow is gone, and the verbs of one that is in the archive only
    "archive: open a Workflow": _get(_ARCHIVED, namespace="{namespace}"),
    "archive: retry": _put(f"{_ARCHIVED}/retry", {"namespace": "{namespace}", "parameters": []}),
    "archive: resubmit": _put(f"{_ARCHIVED}/resubmit", {"namespace": "{namespace}", "parameters": []}),
    "archive: delete": Request("DELETE", _ARCHIVED, {"namespace": "{namespace}"}),
    # workflow-templates/workflow-template-details.tsx, cron-workflows/cron-workflow-details.tsx
    "template: open it": _get("api/v1/workflow-templates/{namespace}/{template}"),
    "template: its Workflows": _get(
        _WORKFLOWS,
        listOptions_labelSelector="workflows.argoproj.io/workflow-template={template}",
        listOptions_limit="50",
        fields=_LIST_FIELDS,
    ),
    # reports/reports.tsx
    "reports": _get(_WORKFLOWS, listOptions_limit="100", fields=_CHART_FIELDS),
}
