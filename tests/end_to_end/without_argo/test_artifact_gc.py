"""Argo deletes artifacts of runs whose origins are deleted, and of what these runs have made, from a real store."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.files_door import store_on_a_target
from tests.end_to_end.manifests import SMALL, Object, inline, only_on, rights_of
from tests.end_to_end.objects import runs_in, workflows
from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import STORE_PORTS, WEST
from tests.support.s3_server import S3Server, s3_server

# What Argo's documentation gives to whose pods delete artifacts, and to who makes Workflows.
_MAY = {
    "workflowartifactgctasks": ("list", "watch"),
    "workflowartifactgctasks/status": ("patch",),
    "workflows": ("create", "get"),
}


@pytest.fixture
def s3(workspace: Workspace, tmp_path: Path) -> Iterator[S3Server]:
    """The store of the namespace's runs on west."""
    with turn("files-door"), s3_server(tmp_path / "s3", WEST.gateway, STORE_PORTS[-1]) as s3:
        workspace.apply(*store_on_a_target(s3), *rights_of("default", "artifacts", _MAY), cluster="west")
        yield s3


def keeping(key: str) -> Object:
    """A Workflow that keeps a file as long as it is there itself."""
    manifest = inline("echo kept > /tmp/kept", SMALL)
    kept = {"name": "kept", "path": "/tmp/kept", "s3": {"key": key}, "archive": {"none": {}}}
    manifest["spec"]["templates"][0]["outputs"] = {"artifacts": [kept]}
    manifest["spec"]["artifactGC"] = {"strategy": "OnWorkflowDeletion"}
    return manifest


def making(child: Object) -> Object:
    """A Workflow that makes another one, owns it, and ends when that has succeeded."""
    manifest = inline("", SMALL)
    resource = {
        "action": "create",
        "setOwnerReference": True,
        "successCondition": "status.phase == Succeeded",
        "failureCondition": "status.phase in (Failed, Error)",
        "manifest": json.dumps(child),
    }
    manifest["spec"]["templates"] = [{"name": "main", "resource": resource}]
    return manifest


@pytest.mark.parametrize("made", [False, True], ids=["the run's", "those of a Workflow that the run has made"])
def test_artifacts_are_deleted_with_their_workflow(workspace: Workspace, s3: S3Server, made: bool) -> None:
    manifest = keeping("of-the-job")
    name = workspace.create(only_on("west", making(manifest) if made else manifest))
    workspace.wait(name).ok()
    assert s3.keys == ["of-the-job"]
    workspace.argo("delete", name).ok()
    eventually(lambda: not workflows("front", workspace.name), "the origin is gone")
    eventually(lambda: not runs_in(workspace.name) and not workflows("west", workspace.name), "all Workflows are gone")
    assert s3.keys == []
