"""The door for job classes on the host, a RabbitMQ that can be killed, and workers as pods that KEDA scales."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.end_to_end.commands import kubectl
from tests.end_to_end.host_door import HostDoor, rights
from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace
from tests.lab import image, keda, medea
from tests.lab.binaries import binary
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, FRONT, POSTGRES_DSN, STORE_PORTS
from tests.lab.render import CHART
from tests.lab.shell import run
from tests.support.rabbit_server import PASSWORD, USER, RabbitServer, rabbit_server

PORT, METRICS_PORT = 18000, 19101
URL = f"http://localhost:{PORT}"
WORKER = "medea-worker-actor-jobs"
RBAC = CHECKOUT / "manifests/chart/files/classes-rbac.yaml"
ACTOR = {"latency_sensitive": True, "rows": 100, "estimated_runtime_sec": 1}
SECONDS, COOLDOWN = 6, 15
_KINDS = ("ScaledObject", "TriggerAuthentication")


@dataclass
class ClassesDoor(HostDoor):
    """The door, which may be killed and started again, its broker, and the namespace of its workers."""

    workspace: Workspace
    rabbit: RabbitServer
    space: str

    def submit(self, body: dict[str, Any]) -> str:
        """A job; its id."""
        answer = requests.post(f"{URL}/submit-job", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def job(self, number: str) -> dict[str, Any]:
        """How it is."""
        answer = requests.get(f"{URL}/jobs/{number}", timeout=60)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def queues(self) -> dict[str, Any]:
        """How the queues are."""
        return dict(requests.get(f"{URL}/queues/status", timeout=60).json())

    def done(self, jobs: list[str], within: float) -> list[dict[str, Any]]:
        """Wait until all are done; how each is then."""
        last: dict[str, dict[str, Any]] = {}

        def all_done() -> bool:
            for number in jobs:
                if last.get(number, {}).get("status") != "done":
                    last[number] = self.job(number)
            return all(one["status"] == "done" for one in last.values())

        eventually(all_done, lambda: f"all are done: {last}", within=within)
        return [last[number] for number in jobs]

    def workers(self) -> tuple[int, int]:
        """How many workers KEDA wants, and how many are ready."""
        found = json.loads(kubectl("front", "get", "deployment", WORKER, "-n", self.space, "-o", "json").ok().out)
        return int(found["spec"]["replicas"]), int(found["status"].get("readyReplicas", 0))

    def kill_workers(self) -> int:
        """kill -9 of all of them, one of which has a job; how many. The kubelet starts them again."""
        words = ("get", "pods", "-n", self.space, "-l", "app.kubernetes.io/component=worker-actor-jobs", "-o", "json")
        pods = json.loads(kubectl("front", *words).ok().out)["items"]
        containers = [one for pod in pods for one in pod["status"].get("containerStatuses", [])]
        running = [one["containerID"].removeprefix("containerd://") for one in containers if "running" in one["state"]]
        ctr = ("ctr", "--address", str(FRONT.containerd_socket), "--namespace", "k8s.io")
        for container in running:
            # One that KEDA wants no more may have gone just now.
            run([*ctr, "tasks", "kill", "--signal=SIGKILL", container], check=False)
        return len(running)


@contextmanager
def classes_door(workspace: Workspace, folder: Path) -> Iterator[ClassesDoor]:
    """The door for a namespace, with KEDA at the front door, while the block runs."""
    keda.build()
    space = f"{workspace.name}-workers"
    with (
        turn("classes-door"),
        rabbit_server(folder, FRONT.gateway, STORE_PORTS[-2]) as rabbit,
        rights(RBAC, "medea-class-jobs", workspace),
    ):
        keda.bring_up(Lab())
        try:
            settings = {
                "KUBECONFIG": str(medea.identity(Lab(), "medea-classes")),
                "MEDEA_CLASSES_NAMESPACE": workspace.name,
                "MEDEA_CLASSES_PORT": str(PORT),
                "MEDEA_CLASSES_METRICS_PORT": str(METRICS_PORT),
                "RABBITMQ_URL": _url(rabbit),
            }
            door = ClassesDoor("classes-door", "classes", METRICS_PORT, settings, workspace, rabbit, space)
            _furnish(door, folder)
            with door.running():
                yield door
        finally:
            # What KEDA has to let go must go while it is there.
            kubectl("front", "delete", "scaledobject", "--all", "-n", space, "--timeout=60s")
            away = ("delete", "namespace", space, "--ignore-not-found", "--timeout=60s")
            eventually(lambda: kubectl("front", *away).code == 0, "the namespace of workers goes", within=180)
            keda.take_down(Lab())


def _furnish(door: ClassesDoor, folder: Path) -> None:
    """What docs/doors-classes.md tells an administrator to do, in namespaces of the test's own."""
    door.workspace.kubectl("apply", "-f", str(EXAMPLES / "classes.yaml")).ok()
    kubectl("front", "create", "namespace", door.space).ok()
    secrets = {
        "rabbit": {"url": _url(door.rabbit)},
        "ledger": {"dsn": POSTGRES_DSN.replace("127.0.0.1", FRONT.gateway)},
    }
    for name, content in secrets.items():
        words = [f"--from-literal={key}={value}" for key, value in content.items()]
        kubectl("front", "create", "secret", "generic", name, "-n", door.space, *words).ok()
    items = [one for one in _rendered(door, folder) if _is_workers(one)]
    assert {one["kind"] for one in items} == {"Deployment", "ServiceAccount", *_KINDS}
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    kubectl("front", "apply", "-n", door.space, "-f", "-", stdin=json.dumps(listed)).ok()
    eventually(lambda: door.workers()[1] == 1, "a worker is ready", within=180)


def _rendered(door: ClassesDoor, folder: Path) -> list[dict[str, Any]]:
    """What the chart makes, as if Medea were in the namespace of the workers."""
    values = {
        "image": image.IMAGE,
        "postgres": {"embedded": False},
        "ledger": {"secret": "ledger"},
        "minReadySeconds": 0,
        "classes": {
            "enabled": True,
            "namespace": door.workspace.name,
            "rabbitmq": {"secret": "rabbit"},
            "keda": {"pollingInterval": 2, "cooldown": COOLDOWN},
            "workers": {"actor-jobs": {"command": ["python", "-c", f"import time; time.sleep({SECONDS})"]}},
            "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        },
    }
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    text = run([binary("helm"), "template", "medea", CHART, "--namespace", door.space, f"--values={file}"])
    return [one for one in yaml.safe_load_all(text) if one]


def _is_workers(thing: dict[str, Any]) -> bool:
    return thing["kind"] in _KINDS or thing["metadata"]["name"] in (WORKER, "medea-worker")


def _url(rabbit: RabbitServer) -> str:
    return f"amqp://{USER}:{PASSWORD}@{rabbit.host}:{rabbit.port}/"
