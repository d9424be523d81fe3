"""What is nested deeper than Python follows is shown as far as it makes sense, and keeps nothing from its end."""

from typing import Any

import pytest
import structlog

from tests.support.controller_world import World
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import Hold
from webhook.model.nodes import nodes_of, pack


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("levels", [300, 600, 700, 800, 900])
def test_nodes_nested_deeper_than_python_follows_are_shown_as_far_as_they_make_sense(
    world: World, hold: Hold, levels: int
) -> None:
    deep: dict[str, Any] = {}
    for _ in range(levels):
        deep = {"a": deep}
    world.place(hold=hold)
    world.settle()
    if hold is Hold.PLUGIN:
        root = {"job-p1": {"id": "job-p1", "name": "job-p1", "type": "DAG", "phase": "Running"}}
        world.front.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "nodes": root}})
    node = {"id": "job-p1", "name": "job-p1", "phase": "Running", "inputs": deep, "message": "at work"}
    status = {"phase": "Running", "compressedNodes": pack({"job-p1": node})}
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": status})
    with structlog.testing.capture_logs() as logs:
        world.settle()
    assert not [line for line in logs if line["event"] == "bug"]
    assert "at work" in [node.get("message") for node in nodes_of(world.origin()).values()]
    world.end_run("Failed")
    world.settle()
    assert (world.origin()["status"]["phase"], world.row().end_shown) == ("Failed", True)
