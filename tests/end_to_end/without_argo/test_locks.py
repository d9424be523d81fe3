"""What Workflows share by name holds as on one cluster, although there are two with room."""

import itertools
from typing import Any

from tests.end_to_end.objects import annotations, cluster_of, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker
from tests.lab.layout import BUSYBOX
from webhook.model.objects import mapping, status_of

Object = dict[str, Any]


def job(*mutexes: str) -> Object:
    """A Workflow of one pod, which takes some seconds and says when it began and ended."""
    box = {
        "image": BUSYBOX,
        "command": ["sh", "-c", "date +%s; sleep 3; date +%s"],
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "lock-"},
        "spec": {
            "entrypoint": "main",
            **({"synchronization": {"mutexes": [{"name": name} for name in mutexes]}} if mutexes else {}),
            "arguments": {"parameters": [{"name": "table", "value": "shared"}]},
            "templates": [{"name": "main", "container": box}],
        },
    }


def suspended(manifest: Object) -> Object:
    """The same Workflow, which begins when somebody resumes it."""
    return {**manifest, "spec": {**manifest["spec"], "suspend": True}}


def pod_times(workspace: Workspace, name: str) -> tuple[str, str]:
    """When its pod began and ended, as its node says."""
    nodes = mapping(status_of(origin(workspace.name, name)).get("nodes")).values()
    [node] = [one for one in nodes if one.get("type") == "Pod"]
    return str(node["startedAt"]), str(node["finishedAt"])


def test_two_with_one_mutex_run_one_after_the_other_on_one_target_and_one_without_goes_to_the_other(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace()
    # Suspended, so that neither can have ended before all are submitted.
    first = workspace.create(suspended(job("{{workflow.parameters.table}}-table")))
    home = cluster_of(workspace.name, first)
    second = workspace.create(suspended(job("shared-table")))
    assert cluster_of(workspace.name, second) == home
    assert "mutex shared-table is in use there by lock-" in annotations(origin(workspace.name, second))["decision"]
    other = job()
    other["metadata"]["annotations"] = {"medea.dev/clusters": "west" if home == "east" else "east"}
    assert cluster_of(workspace.name, workspace.create(other)) != home
    held = job("shared-table")
    held["metadata"]["annotations"] = other["metadata"]["annotations"]
    waits = workspace.create(held)
    # Another reason comes before it if the target was slow to answer.
    said = f"mutex shared-table is in use on {home} by"
    eventually(lambda: said in annotations(origin(workspace.name, waits)).get("reason", ""), "it says why it waits")
    for name in (first, second):
        workspace.argo("resume", name).ok()
    for name in (first, second, waits):
        workspace.wait(name).ok()
    times = sorted(pod_times(workspace, name) for name in (first, second, waits))
    assert all(ended <= began for (_, ended), (began, _) in itertools.pairwise(times))
    assert cluster_of(workspace.name, waits) != home
