"""kill -9 of the controller, the webhook and a target while a split Workflow runs: no item lost, none run twice."""

import json

import pytest

from tests.end_to_end.lab import away
from tests.end_to_end.objects import origin
from tests.end_to_end.test_doors_split import SQUARES, chunks_of, ran_once, submit
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace


@pytest.mark.timeout(1200, func_only=True)
@pytest.mark.parametrize("victims", [("controller",), ("webhook", "controller"), ("west",)])
def test_no_item_is_lost_and_none_runs_twice(workspace: Workspace, victims: tuple[str, ...]) -> None:
    name = submit(workspace, "-p", "seconds=10")
    eventually(lambda: len(chunks_of(workspace, name)) >= 2, "some chunks are there")
    with away(*victims):
        pass
    workspace.wait(name, timeout=900).ok()
    status = origin(workspace.name, name)["status"]
    assert status["phase"] == "Succeeded", status.get("message")
    assert json.loads(status["outputs"]["parameters"][0]["value"]) == SQUARES
    ran_once(workspace, name)
