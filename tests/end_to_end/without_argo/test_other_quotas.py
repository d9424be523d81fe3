"""Quotas on other resources than CPU and memory, and for some pods only, decide as on a plain cluster."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.end_to_end import medea
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import only_on
from tests.end_to_end.objects import annotations, cluster_of, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker
from tests.lab.layout import BUSYBOX
from webhook.model.objects import status_of

Object = dict[str, Any]
URGENT = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["urgent"]}]}


def quota(workspace: Workspace, target: str, name: str, hard: Mapping[str, str], **spec: Any) -> None:
    """Make a quota on a target, and wait until Medea's API sees it: Prometheus shows no such limits."""
    manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard, **spec}}
    workspace.kubectl("apply", "-f", "-", cluster=target, stdin=json.dumps(manifest)).ok()
    eventually(partial(_is_watched, workspace.name, target), f"the quota on {target} is seen")


def _is_watched(namespace: str, target: str) -> bool:
    return bool(medea.targets(namespace)[target]["source"] == "apiserver")


def loop(rounds: int, limits: Mapping[str, str], requests: Mapping[str, str], script: str = "echo here") -> Object:
    """A Workflow of so many pods side by side."""
    step = {"name": "job", "template": "job", "withItems": list(range(rounds))}
    box = {
        "image": BUSYBOX,
        "command": ["sh", "-c", script],
        "resources": {"limits": dict(limits), "requests": dict(requests)},
    }
    templates = [{"name": "main", "steps": [[step]]}, {"name": "job", "container": box}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "loop-"},
        "spec": {"entrypoint": "main", "templates": templates},
    }


def refusal(workspace: Workspace, manifest: Object) -> str:
    """What the webhook would refuse it with now; empty if it would let it in. It is another process than the API."""
    done = workspace.dry_run(manifest)
    return "" if done.code == 0 else done.err


def placed(workspace: Workspace, manifest: Object, times: int) -> list[str]:
    """Submit it so often; returns where each went, be it later since a target was slow to answer."""
    names = [workspace.create(manifest) for _ in range(times)]
    return [cluster_of(workspace.name, name) for name in names]


def test_a_quota_for_pods_of_another_class_does_not_limit_these(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace(west=("8", "32Gi"), east=("8", "32Gi"))
    for target in ("west", "east"):
        quota(workspace, target, "q-urgent", {"limits.cpu": "100m"}, scopeSelector=URGENT)
    name = workspace.create(loop(2, {"cpu": "400m", "memory": "64Mi"}, {"cpu": "1m", "memory": "1Mi"}))
    workspace.wait(name).ok()
    row = ledger_row(workspace.name, name)
    assert (row["phase"], row["cpu_milli"]) == ("Succeeded", 800)


@pytest.mark.parametrize("hard", [{"pods": "1"}, {"requests.cpu": "300m"}], ids=["pods", "requests"])
def test_what_a_targets_quota_has_no_room_for_side_by_side_goes_elsewhere_each_time(
    make_workspace: WorkspaceMaker, hard: Mapping[str, str]
) -> None:
    workspace = make_workspace(west=("8", "32Gi"), east=("8", "32Gi"))
    quota(workspace, "west", "more", {**hard, "requests.memory": "1Gi"})
    # Only by what can never fit a review shows that it knows the quota.
    greedy = loop(1, {"cpu": "200m", "memory": "2Gi"}, {"cpu": "200m", "memory": "2Gi"})
    eventually(lambda: "quota more allows" in refusal(workspace, only_on("west", greedy)), "reviews know the quota")
    manifest = loop(3, {"cpu": "200m", "memory": "64Mi"}, {"cpu": "200m", "memory": "1Mi"}, "sleep 1")
    assert set(placed(workspace, manifest, 6)) == {"east"}


def test_a_pod_that_no_target_allows_is_refused_with_quota_resource_hard_limit_and_need(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace()
    for target in ("west", "east"):
        quota(workspace, target, "requests", {"requests.cpu": "300m"})
    manifest = loop(1, {"cpu": "2", "memory": "1Mi"}, {"cpu": "400m"})
    words = [f"{target}: quota requests allows 0.3 requests.cpu, it needs 0.4" for target in ("west", "east")]
    eventually(lambda: all(one in refusal(workspace, manifest) for one in words), "reviews know both quotas")
    done = workspace.argo("submit", "-", stdin=json.dumps(manifest))
    assert done.code != 0
    assert all(one in done.err for one in words), done.err


def test_a_full_count_of_workflows_is_waited_for(make_workspace: WorkspaceMaker) -> None:
    workspace = make_workspace()
    for target in ("west", "east"):
        quota(workspace, target, "objects", {"count/workflows.argoproj.io": "1"})
    manifest = loop(1, {"cpu": "100m", "memory": "32Mi"}, {"cpu": "1m", "memory": "1Mi"})
    first, second = workspace.create(manifest), workspace.create(manifest)
    both = (first, second)
    eventually(lambda: all(status_of(origin(workspace.name, one)).get("phase") for one in both), "both run")
    third = workspace.create(manifest)
    eventually(
        lambda: "count/workflows.argoproj.io" in annotations(origin(workspace.name, third)).get("reason", ""),
        "it waits, and says why",
    )
    workspace.argo("delete", first).ok()
    workspace.wait(third).ok()
