"""kill -9 of the controller, the webhook and a target while a split Workflow runs: no item lost, none run twice."""

import json
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.lab import away
from tests.end_to_end.manifests import Object
from tests.end_to_end.objects import origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.without_argo.test_doors_split import EXAMPLE, SQUARES, chunks_of, ran_once
from tests.end_to_end.workspace import Workspace


@pytest.mark.timeout(1200, func_only=True)
@pytest.mark.parametrize("victims", [("controller",), ("webhook", "controller"), ("west",)])
def test_no_item_is_lost_and_none_runs_twice(workspace: Workspace, victims: tuple[str, ...]) -> None:
    name = workspace.create(_example(patient="west" in victims))
    eventually(lambda: len(chunks_of(workspace, name)) >= 2, "some chunks are there")
    with away(*victims):
        pass
    workspace.wait(name, timeout=900)
    status = origin(workspace.name, name)["status"]
    assert status["phase"] == "Succeeded", status.get("message")
    assert json.loads(status["outputs"]["parameters"][0]["value"]) == SQUARES
    ran_once(workspace, name)


def _example(*, patient: bool) -> Object:
    """The example with items of ten seconds, which may be tried again if it is `patient`.

    An apiserver that has just started refuses everybody for a moment, since it knows no roles yet. Argo's executor in a
    pod that ends just then gives up, on a plain cluster too.
    """
    manifest: Object = yaml.safe_load(
        Path(EXAMPLE).read_text().replace('{name: seconds, value: "1"}', '{name: seconds, value: "10"}')
    )
    if patient:
        manifest["spec"]["templates"][1]["retryStrategy"] = {"limit": "3", "retryPolicy": "Always"}
    return manifest
