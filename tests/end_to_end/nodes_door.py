"""Node placement: targets with node pools, and an open API with a real RabbitMQ, both of which can be killed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.commands import kubectl
from tests.end_to_end.host_door import HostDoor
from tests.end_to_end.manifests import executor_rights
from tests.end_to_end.objects import TARGETS
from tests.end_to_end.open_door import api_on
from tests.end_to_end.turns import turn
from tests.end_to_end.workspace import Workspace
from tests.lab.medea import SPACE
from tests.support.rabbit_server import PASSWORD, USER, RabbitServer, rabbit_server

BALANCER_PORT, SCOUT_PORT, METRICS_PORT = 18190, 18191, 19198
URL = f"http://localhost:{BALANCER_PORT}"
HOSTNAME = "kubernetes.io/hostname"
QUEUE = "resource"


@dataclass
class NodesDoor:
    """The API, which may be killed and started again, and its RabbitMQ."""

    workspace: Workspace
    rabbit: RabbitServer
    api: HostDoor


@contextmanager
def nodes_door(workspace: Workspace, folder: Path) -> Iterator[NodesDoor]:
    """An open API that takes questions from a RabbitMQ of its own, while the block runs."""
    with turn("nodes-door"), rabbit_server(folder) as rabbit:
        # As the original's own .env has them.
        settings = {
            "MQ_ID": USER,
            "MQ_PASSWD": PASSWORD,
            "MQ_IP": rabbit.host,
            "MQ_PORT": str(rabbit.port),
            "MQ_RESOURCE_QUE": QUEUE,
            "ARGO_NAMESPACE": workspace.name,
            "ARGO_WORKFLOW_IP": "1.1.1.1",
            "ARGO_WORKFLOW_PORT": "8888",
        }
        api = api_on("nodes-door", balancer=BALANCER_PORT, scout=SCOUT_PORT, metrics=METRICS_PORT, settings=settings)
        with api.running():
            yield NodesDoor(workspace, rabbit, api)


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
    each = {
        "type": "Container",
        "default": {"cpu": "100m", "memory": "64Mi"},
        "defaultRequest": {"cpu": "1m", "memory": "8Mi"},
    }
    for target in TARGETS:
        workspace.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "pipeline-runner"}},
            *executor_rights("pipeline-runner"),
            {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "each"}, "spec": {"limits": [each]}},
            cluster=target,
        )
