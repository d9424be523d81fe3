"""Node placement on real clusters: the node allocator's calls, its messages over RabbitMQ, and a namespace's option."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.doors.nodes.asker import Asker
from tests.end_to_end import medea
from tests.end_to_end.nodes_door import HOSTNAME, QUEUE, URL, NodesDoor, furnish, node_pools, nodes_door
from tests.end_to_end.objects import TARGETS, annotations, origin, pods, runs_of, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace, WorkspaceMaker

BOSTON = EXAMPLES / "boston-housing.json"
STEP = "deploy-model"
_VAST = ("200", "500Gi")
Object = dict[str, Any]


@pytest.fixture(scope="module")
def door(make_workspace: WorkspaceMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodesDoor]:
    """An API with node placement in a namespace of its own, whose targets have node pools."""
    workspace = make_workspace()
    furnish(workspace)
    with node_pools(), nodes_door(workspace, tmp_path_factory.mktemp("nodes") / "rabbit") as found:
        yield found


def selectors(workflow: Object) -> dict[str, Object]:
    """The selectors of its templates that have one."""
    return {one["name"]: one["nodeSelector"] for one in workflow["spec"]["templates"] if "nodeSelector" in one}


def run_of(namespace: str, name: str) -> tuple[str, Object]:
    """The only run of a Workflow, and its target."""
    placement = annotations(origin(namespace, name))["placement"]
    [found] = eventually(lambda: runs_of(placement), f"{name} runs")
    return found


def sized(cpu: str, **metadata: Any) -> Object:
    """A Workflow with one step of this size, which requests next to nothing of the real node."""
    size = {"limits": {"cpu": cpu, "memory": "64Mi"}}
    container = {"image": "localhost/busybox:lab", "command": ["true"], "resources": size}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "sized-", **metadata},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": container}]},
    }


def test_the_originals_pipeline_is_placed_by_one_call_and_runs_on_that_node_by_the_other(door: NodesDoor) -> None:
    def curl(path: str, content: str) -> Object:
        words = ["curl", "-s", "-X", "POST", f"{URL}{path}", "-H", "Content-Type: application/json", "-d", "@-"]
        said = subprocess.run(words, input=content, check=True, capture_output=True, text=True, timeout=120).stdout
        found: Object = json.loads(said)
        return found

    placed = curl("/yaml", BOSTON.read_text())
    assert list(selectors(placed)) == [STEP]
    target = selectors(placed)[STEP][HOSTNAME]
    assert target in TARGETS
    left = {**placed, "spec": {**placed["spec"], "templates": [_bare(one) for one in placed["spec"]["templates"]]}}
    assert left == json.loads(BOSTON.read_text())

    done = curl("/run", json.dumps(placed))
    assert (done["status"], done["namespace"], done["cluster"]) == ("success", door.workspace.name, target)
    door.workspace.wait(done["name"], timeout=400).ok()
    cluster, run = run_of(door.workspace.name, done["name"])
    assert cluster == target and selectors(run) == {STEP: {HOSTNAME: target}}
    mine = [pod for pod in pods(target, door.workspace.name) if pod["metadata"]["name"].startswith(done["name"])]
    [deployed] = [pod for pod in mine if STEP in pod["metadata"]["name"]]
    assert deployed["spec"]["nodeSelector"] == {HOSTNAME: target} and deployed["spec"]["nodeName"] == target


def _bare(template: Object) -> Object:
    return {key: value for key, value in template.items() if key != "nodeSelector"}


def reserved(workspace: Workspace) -> set[int]:
    """The CPU that is held on any target."""
    shown = medea.targets(workspace.name).values()
    return {one["reserved"]["cpu_milli"] for one in shown if one["reserved"]}


def test_asking_where_it_would_go_submits_and_reserves_nothing(door: NodesDoor) -> None:
    before = len(workflows("front", door.workspace.name))
    for _ in range(5):
        assert requests.post(f"{URL}/yaml", data=BOSTON.read_bytes(), timeout=60).status_code == 200
    assert len(workflows("front", door.workspace.name)) == before
    eventually(lambda: reserved(door.workspace) == {0}, "nothing is reserved")


def test_a_step_that_no_node_has_room_for_is_refused_with_the_largest(door: NodesDoor) -> None:
    assert door.api.process is not None
    answer = requests.post(f"{URL}/yaml", json=sized("100"), timeout=60)
    message = medea.error_of(answer, 422)["message"]
    for target in TARGETS:
        assert f"template main asks for cpu 100, memory 64Mi, and no node of {target} has that" in message
        assert f"{HOSTNAME}={target}-large, have cpu 64" in message


@pytest.mark.parametrize("body", ["{", "kind: Pod", "a: &a [x,x]\n" + "b: [" + "*a," * 30000 + "]", "[" * 300])
def test_what_is_no_workflow_is_refused_and_nothing_is_submitted(door: NodesDoor, body: str) -> None:
    before = len(workflows("front", door.workspace.name))
    for path in ("/yaml", "/run"):
        medea.error_of(requests.post(f"{URL}{path}", data=body, timeout=60), 400)
    assert len(workflows("front", door.workspace.name)) == before


def test_the_closed_api_has_the_calls_too_for_those_who_may_submit(door: NodesDoor) -> None:
    path = f"/yaml?namespace={door.workspace.name}"
    # The same Medea as everybody's: it hears of the pools by its own watch.
    answer = eventually(lambda: _placed(path), "the API in the cluster knows the node pools")
    assert answer is not None
    assert list(selectors(answer.json())) == [STEP]
    assert medea.patient_call("POST", path, data=BOSTON.read_bytes(), token="").status_code == 401
    document = medea.patient_call("GET", "/apidoc/openapi.json", token="").json()
    assert {"/yaml", "/run"} <= set(document["paths"])


def _placed(path: str) -> requests.Response | None:
    answer = medea.patient_call("POST", path, data=BOSTON.read_bytes())
    return answer if answer.status_code == 200 else None


def container(number: int) -> list[Object]:
    """One container, as the original's server asks about it."""
    sizes = {"limits": {"cpu": "2", "memory": "2G"}, "requests": {"cpu": "1", "memory": "1G"}}
    return [{"name": f"{STEP}-{number}", "image": "a", **sizes, "nodeSelector": None}]


@contextmanager
def asking(door: NodesDoor) -> Iterator[Asker]:
    """Somebody who asks, until the end of the block."""
    asker = Asker(door.rabbit, QUEUE)
    try:
        yield asker
    finally:
        asker.close()


def test_the_originals_own_server_gets_its_answers_over_rabbitmq(door: NodesDoor) -> None:
    with asking(door) as asker:
        [answered] = asker.allocated(container(0))["containers"]
    assert answered["nodeSelector"][HOSTNAME] in TARGETS


def test_questions_wait_while_the_door_is_killed_and_each_is_answered(door: NodesDoor) -> None:
    with asking(door) as asker:
        names = [asker.question(container(number)) for number in range(1, 6)]
        door.api.kill()
        names += [asker.question(container(number)) for number in range(6, 11)]
        door.api.start()
        for name in names:
            [answered] = asker.answer_to(name)["containers"]
            assert answered["nodeSelector"][HOSTNAME] in TARGETS


def test_after_rabbitmq_was_killed_questions_are_answered_again(door: NodesDoor) -> None:
    door.rabbit.kill()
    time.sleep(2)
    door.rabbit.start()
    with asking(door) as asker:
        assert asker.allocated(container(11))["containers"][0]["nodeSelector"]


@pytest.fixture(scope="module")
def wanting(door: NodesDoor, make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace whose steps go to nodes, with quotas that say nothing against large ones."""
    assert door.api.process is not None
    workspace = make_workspace(_VAST, _VAST)
    furnish(workspace)
    workspace.kubectl("label", "namespace", workspace.name, "medea.dev/node-placement=true").ok()
    eventually(lambda: "nodes: main on" in workspace.dry_run(sized("1")).said, "the webhook knows of the label")
    return workspace


def test_in_a_namespace_that_wants_it_the_run_has_the_selector_and_the_reason_says_so(wanting: Workspace) -> None:
    name = wanting.create(sized("1"))
    wanting.wait(name).ok()
    target, run = run_of(wanting.name, name)
    assert selectors(run) == {"main": {HOSTNAME: target}}
    mine = origin(wanting.name, name)
    assert f"; nodes: main on {HOSTNAME}={target}" in annotations(mine)["decision"]
    assert HOSTNAME not in json.dumps(mine["spec"])


def test_there_a_step_that_fits_no_node_is_refused_at_submit(wanting: Workspace) -> None:
    refused = wanting.argo("submit", "-", stdin=json.dumps(sized("100")))
    assert refused.code != 0 and "template main asks for cpu 100" in refused.said
    assert "-large, have cpu 64" in refused.said


def test_there_a_step_goes_to_the_pool_that_fits_it_and_a_users_own_selector_stays(wanting: Workspace) -> None:
    large = wanting.create(sized("10"))
    target, run = run_of(wanting.name, large)
    # No node is in that pool: it is as far as it gets.
    assert selectors(run) == {"main": {HOSTNAME: f"{target}-large"}}
    wanting.kubectl("delete", "workflow", large).ok()
    own = sized("1")
    own["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux"}
    name = wanting.create(own)
    wanting.wait(name).ok()
    _, run = run_of(wanting.name, name)
    assert selectors(run) == {} and run["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
