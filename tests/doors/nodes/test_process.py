"""The API as a process of its own, over a real RabbitMQ and Postgres, both of which are killed with it."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.nodes.asker import Asker
from tests.doors.nodes.fronts import POOLS, registry
from tests.doors.nodes.test_manifest import BOSTON
from tests.support.fake_apiserver import FakeApiserver
from tests.support.medea_process import MedeaProcess, served
from tests.support.rabbit_server import PASSWORD, USER, RabbitServer, rabbit_server
from webhook.kube.resources import SECRETS, WORKFLOWS
from webhook.model.contract import CLUSTER, CLUSTERS, ENABLED, PLACEMENT, STATE

NAMESPACE, SPACE, QUEUE = "ns", "medea-targets", "queue1"
PORT = 17590
SIZES = {"limits": {"cpu": "2", "memory": "2G"}, "requests": {"cpu": "1", "memory": "1G"}}


def placing(review: dict[str, Any]) -> dict[str, Any]:
    """What Medea's webhook says: it goes to the first target that it may go to."""
    request = review["request"]
    marks = request["object"]["metadata"].get("annotations") or {}
    target = marks.get(CLUSTERS, "west").split(",")[-1]
    said = {**marks, PLACEMENT: "p", STATE: "placed", CLUSTER: target}
    patch = [{"op": "add", "path": "/metadata/annotations", "value": said}]
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"response": {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": encoded}}


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with rabbit_server(tmp_path_factory.mktemp("rabbit")) as found:
        yield found


@pytest.fixture(scope="module")
def door(rabbit: RabbitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MedeaProcess]:
    fake = FakeApiserver("front")
    fake.namespace(NAMESPACE, {ENABLED: "true"})
    fake.namespace(SPACE)
    fake.on_create(WORKFLOWS, placing)
    for target in POOLS:
        about = {"name": f"target-{target}", "namespace": SPACE, "labels": {CLUSTER: target}}
        noted = registry().secret(target)
        assert noted is not None
        fake.put(SECRETS, {"metadata": {**about, **noted["metadata"]}, "data": {}})
    settings = {
        "MEDEA_BALANCER_PORT": str(PORT),
        "MEDEA_SCOUT_PORT": str(PORT + 1),
        "MEDEA_API_METRICS_PORT": str(PORT + 2),
        "MQ_ID": USER,
        "MQ_PASSWD": PASSWORD,
        "MQ_IP": rabbit.host,
        "MQ_PORT": str(rabbit.port),
        "MQ_RESOURCE_QUE": QUEUE,
        "ARGO_NAMESPACE": NAMESPACE,
    }
    with served(fake) as url:
        folder = tmp_path_factory.mktemp("door")
        found = MedeaProcess("api", folder, url, metrics_port=PORT + 2, settings=settings)
        found.start()
        try:
            yield found
        finally:
            found.stop()


def ask(asker: Asker, *numbers: int) -> list[str]:
    return [asker.question([{"name": f"step-{number}", "image": "a", **SIZES}]) for number in numbers]


def answered(asker: Asker, names: list[str]) -> None:
    for name in names:
        [container] = asker.answer_to(name)["containers"]
        assert container["nodeSelector"] == {"pool": "small"}


@pytest.mark.usefixtures("door")
def test_the_originals_calls_work_from_the_command_line(tmp_path: Path) -> None:
    def curl(path: str, file: Path) -> Any:
        words = ["curl", "-s", "-X", "POST", f"http://localhost:{PORT}{path}", "-d", f"@{file}"]
        return json.loads(subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout)

    placed = curl("/yaml", BOSTON)
    assert placed["spec"]["templates"][-1]["nodeSelector"] == {"pool": "small"}
    (tmp_path / "placed.json").write_text(json.dumps(placed))
    done = curl("/run", tmp_path / "placed.json")
    assert (done["status"], done["namespace"], done["cluster"]) == ("success", NAMESPACE, "west")


def test_questions_wait_while_the_door_is_killed_and_each_is_answered(rabbit: RabbitServer, door: MedeaProcess) -> None:
    asker = Asker(rabbit, QUEUE)
    try:
        first = ask(asker, *range(20))
        answered(asker, first[:1])
        door.kill()
        later = ask(asker, *range(20, 25))
        door.start()
        answered(asker, [*first[1:], *later])
    finally:
        asker.close()


@pytest.mark.usefixtures("door")
def test_after_rabbitmq_was_killed_questions_are_answered_again(rabbit: RabbitServer) -> None:
    rabbit.kill()
    rabbit.start()
    asker = Asker(rabbit, QUEUE)
    try:
        answered(asker, ask(asker, 25))
    finally:
        asker.close()
