"""A split Workflow at a front door with Argo's controller; `without_argo/test_doors_split.py` has all the rest."""

import json

import pytest

from tests.end_to_end.objects import origin
from tests.end_to_end.without_argo.test_doors_split import SQUARES, node, ran_once, submit
from tests.end_to_end.workspace import WorkspaceMaker


@pytest.mark.timeout(900, func_only=True)
def test_the_example_runs_as_chunks_and_gathers_its_squares(make_workspace: WorkspaceMaker) -> None:
    space = make_workspace()
    name = submit(space)
    space.wait(name, timeout=600).ok()
    status = origin(space.name, name)["status"]
    assert status["phase"] == "Succeeded" and status["progress"] == "12/12", status.get("message")
    assert json.loads(node(space, name, "square")["outputs"]["parameters"][0]["value"]) == SQUARES
    ran_once(space, name)
