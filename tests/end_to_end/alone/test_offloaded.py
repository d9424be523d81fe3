"""A target whose Argo keeps nodes in its own database: the front door says so, and steers what can be steered."""

import json
from collections.abc import Iterator

import pytest

from tests.end_to_end import lab
from tests.end_to_end.argo_examples_room import apply
from tests.end_to_end.commands import kubectl
from tests.end_to_end.manifests import only_on
from tests.end_to_end.objects import Object, origin, workflow
from tests.end_to_end.verb_scenarios import ASKS, FAILS
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import POSTGRES_PORT

CONTROLLER = "workflow-controller-west"
CONFIG = "workflow-controller-configmap"
WORDS = {"userNameSecret": {"name": "nodes", "key": "username"}, "passwordSecret": {"name": "nodes", "key": "password"}}
STORE = {"host": "127.0.0.1", "port": POSTGRES_PORT, "database": "medea", "tableName": "argo_nodes", **WORDS}


@pytest.fixture(scope="module", autouse=True)
def _offloading(_turn: None) -> Iterator[None]:
    """Argo's controller on west offloads the nodes of every Workflow, however small."""
    words = {"username": "medea", "password": "medea"}
    apply("west", "argo", [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nodes"}, "stringData": words}])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALWAYS_OFFLOAD_NODE_STATUS", "true")
        _restart({"persistence": json.dumps({"nodeStatusOffLoad": True, "postgresql": STORE})})
    yield
    _restart({"persistence": None})


def _restart(config: Object) -> None:
    patch = json.dumps({"data": config})
    kubectl("west", "patch", "-n", "argo", "configmap", CONFIG, "--type=merge", "-p", patch).ok()
    lab.kill(CONTROLLER)
    lab.start(CONTROLLER)


def is_offloaded(workspace: Workspace, name: str) -> bool:
    """Whether the run's own object has no nodes."""
    run = workflow("west", workspace.name, name)
    assert run is not None
    return bool(run["status"].get("offloadNodeStatusVersion")) and not run["status"].get("nodes")


def test_a_running_one_shows_phase_progress_and_a_note_and_can_be_stopped(workspace: Workspace) -> None:
    name = workspace.create(only_on("west", ASKS))
    eventually(
        lambda: "its nodes are offloaded on west: 0/1" in workspace.argo("get", name).ok().out, "argo get says so"
    )
    assert is_offloaded(workspace, name)
    status = origin(workspace.name, name)["status"]
    assert (status["phase"], status["progress"]) == ("Running", "0/1")
    workspace.argo("stop", name).ok()
    assert workspace.wait(name).code != 0
    assert origin(workspace.name, name)["status"]["message"] == "Stopped with strategy 'Stop'"


def test_an_ended_one_shows_its_end_and_a_retry_is_refused_at_once(workspace: Workspace) -> None:
    name = workspace.create(only_on("west", FAILS))
    assert workspace.wait(name).code != 0
    assert is_offloaded(workspace, name)
    status = origin(workspace.name, name)["status"]
    assert (status["phase"], status["progress"]) == ("Failed", "1/2")
    refused = workspace.argo("retry", name)
    assert refused.code != 0
    assert "the nodes of the run are offloaded on west and can't be retried from here" in refused.said
