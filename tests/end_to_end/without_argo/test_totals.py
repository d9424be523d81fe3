"""Workflows without Spark parameters, on real clusters: what they are counted with, and which templates they run."""

import json
from typing import Any

import pytest

from tests.end_to_end.commands import Ran
from tests.end_to_end.objects import TARGETS, annotations, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker

Object = dict[str, Any]

NO_POD_MORE_THAN = {"type": "Container", "default": {"cpu": "300m", "memory": "32Mi"}}


@pytest.fixture(scope="module")
def generous(make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace whose targets give limits to containers that have none."""
    workspace = make_workspace()
    for cluster in TARGETS:
        _apply(workspace, "v1", "LimitRange", "defaults", {"limits": [NO_POD_MORE_THAN]}, cluster=cluster)
    return workspace


def _apply(workspace: Workspace, version: str, kind: str, name: str, spec: Object, *, cluster: str = "front") -> None:
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    workspace.kubectl("apply", "-f", "-", cluster=cluster, stdin=json.dumps(manifest)).ok()


def _template(workspace: Workspace, name: str, spec: Object, *, cluster: str = "front") -> None:
    _apply(workspace, "argoproj.io/v1alpha1", "WorkflowTemplate", name, spec, cluster=cluster)


def _workflow(name: str, spec: Object) -> Object:
    metadata = {"generateName": f"{name}-"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def _says(word: str) -> Object:
    """A template that puts out a word."""
    return {
        "name": "say",
        "container": {
            "image": "localhost/busybox:lab",
            "command": ["sh", "-c"],
            "args": [f"echo -n {word} > /tmp/word"],
            "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "100m", "memory": "32Mi"}},
        },
        "outputs": {"parameters": [{"name": "word", "globalName": "word", "valueFrom": {"path": "/tmp/word"}}]},
    }


def test_a_container_without_limits_counts_with_its_targets_default_and_a_guess_is_said(generous: Workspace) -> None:
    bare = {"name": "bare", "container": {"image": "localhost/busybox:lab", "command": ["true"]}}
    tasks = [
        {"name": "first", "template": "bare"},
        {"name": "rest", "template": "bare", "depends": "first", "withParam": "{{tasks.first.outputs.result}}"},
        {"name": "beside", "template": "bare", "depends": "first"},
    ]
    spec = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, bare]}
    manifest = _workflow("bare", spec)

    def asked() -> Ran | None:
        ran = generous.dry_run(manifest)
        return ran if ran.code == 0 and "needs cpu=0.6, ram=0.06Gi" in ran.said else None

    found = eventually(asked, "the targets' LimitRanges are known")
    assert found is not None
    assert "how often task rest runs is not known before it does; counted once" in found.said


def test_a_template_of_a_template_runs_at_the_version_of_the_front_door(shared: Workspace) -> None:
    for cluster in TARGETS:
        _template(shared, "greeting", {"templates": [_says("theirs")]}, cluster=cluster)
    _template(shared, "greeting", {"templates": [_says("ours")]})
    step = {"name": "greet", "templateRef": {"name": "greeting", "template": "say"}}
    _template(shared, "outer", {"templates": [{"name": "main", "steps": [[step]]}]})
    spec = {
        "entrypoint": "main",
        "templates": [
            {"name": "main", "steps": [[{"name": "x", "templateRef": {"name": "outer", "template": "main"}}]]}
        ],
    }
    name = shared.create(_workflow("nested", spec))
    shared.wait(name).ok()
    found = origin(shared.name, name)
    assert found["status"]["outputs"]["parameters"] == [{"name": "word", "value": "ours"}]
    assert annotations(found)["totals"] == "cpu=0.1, ram=0.03Gi"
    cluster = annotations(found)["cluster"]
    kept = shared.kubectl("get", "workflowtemplate", "greeting", "-o", "json", cluster=cluster).ok().out
    assert json.loads(kept)["spec"] == {"templates": [_says("theirs")]}
