"""What a run has made on its target is shown at its origin while the run goes on, and is nobody else's business."""

from typing import Any

import pytest

from tests.support.controller_world import World
from webhook.kube.resources import WORKFLOWS
from webhook.ledger.pool import Pool
from webhook.model.contract import MADE_BY, Hold
from webhook.model.nodes import nodes_of


@pytest.fixture
def world(pool: Pool) -> World:
    world = World(pool)
    world.place(hold=Hold.NONE)
    world.settle()
    run = world.run()
    assert run is not None
    root = {"id": "job-p1", "name": "job-p1", "displayName": "job-p1", "type": "Steps", "phase": "Running"}
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "nodes": {"job-p1": root}}})
    world.settle()
    return world


def make(world: World, name: str, *, namespace: str = "ns", **status: Any) -> None:
    run = world.run()
    assert run is not None
    metadata = {"name": name, "namespace": namespace, "labels": {MADE_BY: run["metadata"]["uid"]}}
    world.west.put(WORKFLOWS, {"metadata": metadata, "spec": {}, "status": status})
    world.settle()


def shown(world: World) -> dict[str, str]:
    """The phases of the made Workflows that the origin shows, by what they are called."""
    nodes = nodes_of(world.origin()).values()
    return {one["displayName"]: one["phase"] for one in nodes if one["displayName"].startswith("Workflow ")}


def test_it_is_shown_with_what_becomes_of_it_and_goes_when_it_is_deleted(world: World) -> None:
    make(world, "child", phase="Running")
    assert shown(world) == {"Workflow child": "Running"}
    world.west.change(WORKFLOWS, "ns", "child", {"status": {"phase": "Failed"}})
    make(world, "second")
    assert shown(world) == {"Workflow child": "Failed", "Workflow second": "Pending"}
    world.west.remove(WORKFLOWS, "ns", "child")
    world.settle()
    assert shown(world) == {"Workflow second": "Pending"}


def test_at_the_front_door_there_is_no_workflow_of_it_and_on_the_target_nothing_is_done_to_it(world: World) -> None:
    make(world, "child", phase="Running")
    assert [one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns")] == ["job-p1"]
    touched = [call for call in world.west.calls if call.verb in ("patch", "delete") and call.name == "child"]
    assert touched == []


def test_the_end_shows_what_was_left_of_it(world: World) -> None:
    make(world, "child", phase="Running")
    world.end_run()
    world.settle()
    assert world.origin()["status"]["phase"] == "Succeeded"
    assert shown(world) == {"Workflow child": "Skipped"}


def test_one_of_another_namespace_is_not_shown(world: World) -> None:
    world.west.namespace("elsewhere")
    make(world, "child", namespace="elsewhere", phase="Running")
    assert shown(world) == {}
