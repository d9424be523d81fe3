"""Node placement: targets with node pools, and an open API with a real RabbitMQ, both of which can be killed."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.commands import kubectl
from tests.end_to_end.objects import TARGETS
from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, LOGS
from tests.lab.processes import http_ok
from tests.support.rabbit_server import PASSWORD, USER, RabbitServer, rabbit_server

BALANCER_PORT, SCOUT_PORT, METRICS_PORT = 18190, 18191, 19198
URL = f"http://localhost:{BALANCER_PORT}"
HOSTNAME = "kubernetes.io/hostname"
QUEUE = "resource"
SPACE = "medea-targets"


@dataclass
class NodesDoor:
    """The API, which may be killed and started again, and its RabbitMQ."""

    workspace: Workspace
    rabbit: RabbitServer
    environment: dict[str, str]
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with (LOGS / "nodes-door.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.argv, "api"], env=self.environment, cwd=CHECKOUT, stdout=log, stderr=log
            )
        eventually(http_ok(f"http://127.0.0.1:{METRICS_PORT}/readyz"), "the API with node placement is ready")

    def kill(self) -> None:
        """kill -9 of the process that serves, and of the one that watches it."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, 9)
        self.process.wait(30)
        eventually(lambda: not http_ok(f"http://127.0.0.1:{METRICS_PORT}/healthz")(), "its port is free")


@contextmanager
def nodes_door(workspace: Workspace, folder: Path) -> Iterator[NodesDoor]:
    """An open API that takes questions from a RabbitMQ of its own, while the block runs."""
    with turn("nodes-door"), rabbit_server(folder) as rabbit:
        declared = next(one for one in medea.processes(Lab()) if one.name == "webhook")
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **declared.env,
            "MEDEA_API": "open",
            "MEDEA_BALANCER_PORT": str(BALANCER_PORT),
            "MEDEA_SCOUT_PORT": str(SCOUT_PORT),
            "MEDEA_API_METRICS_PORT": str(METRICS_PORT),
            # As the original's own .env has them.
            "MQ_ID": USER,
            "MQ_PASSWD": PASSWORD,
            "MQ_IP": rabbit.host,
            "MQ_PORT": str(rabbit.port),
            "MQ_RESOURCE_QUE": QUEUE,
            "ARGO_NAMESPACE": workspace.name,
            "ARGO_WORKFLOW_IP": "1.1.1.1",
            "ARGO_WORKFLOW_PORT": "8888",
        }
        door = NodesDoor(workspace, rabbit, environment, declared.argv)
        door.start()
        try:
            yield door
        finally:
            assert door.process is not None
            door.process.terminate()
            assert door.process.wait(60) == 0


@contextmanager
def node_pools() -> Iterator[None]:
    """Each target names its real node as a pool of two cores, and a pool of 64 that has no node at this moment."""
    for target in TARGETS:
        _note(target, f"medea.dev/node-pools={json.dumps(_pools(target))}")
    try:
        yield
    finally:
        for target in TARGETS:
            _note(target, "medea.dev/node-pools-")


def _note(target: str, annotation: str) -> None:
    words = ("annotate", "-n", SPACE, "secret", "-l", f"medea.dev/cluster={target}", "--overwrite", annotation)
    kubectl("front", *words).ok()


def _pools(target: str) -> list[dict[str, Any]]:
    return [
        {"selector": {HOSTNAME: target}, "sizes": {"cpu": "2", "memory": "4Gi"}},
        {"selector": {HOSTNAME: f"{target}-large"}, "sizes": {"cpu": "64", "memory": "256Gi"}},
    ]


def furnish(workspace: Workspace) -> None:
    """What kfp's pipelines expect of a namespace: their account; and limits for steps that say none, for the quota."""
    rule = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pipeline-runner"}
    each = {
        "type": "Container",
        "default": {"cpu": "100m", "memory": "64Mi"},
        "defaultRequest": {"cpu": "1m", "memory": "8Mi"},
    }
    for target in TARGETS:
        workspace.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "pipeline-runner"}},
            _rbac("Role", rules=[rule]),
            _rbac("RoleBinding", roleRef=role, subjects=[{"kind": "ServiceAccount", "name": "pipeline-runner"}]),
            {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "each"}, "spec": {"limits": [each]}},
            cluster=target,
        )


def _rbac(kind: str, **content: Any) -> dict[str, Any]:
    about = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "pipeline-runner"}}
    return {**about, **content}
