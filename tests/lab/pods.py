"""Medea's parts where they are pods: killing, starting and looking at them, as `make lab-kill` and the like do."""

import json

from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import FRONT
from tests.lab.shell import run

PARTS = {"webhook": ("webhook", "plugin", "api", "logs"), "controller": ("controller",)}
"""By the names that the processes have: `webhook` stands for all doors."""
_PATIENCE = 120


def kill(lab: Lab, part: str) -> bool:
    """SIGKILL a part's containers, and keep them from coming back; says whether there was anything to kill."""
    alive = pids(part)
    # First of all, so that the kubelet doesn't start them again.
    scale(lab, part, 0)
    for container in _containers(part):
        # It may have ended by itself.
        run([*_CTR, "tasks", "kill", "--signal=SIGKILL", container], check=False)
    _kubectl(lab, "wait", "pods", f"--selector={_selector(part)}", "--for=delete", f"--timeout={_PATIENCE}s")
    return bool(alive)


def start(lab: Lab, part: str) -> None:
    """Have a part's pods again, and wait until they are ready."""
    scale(lab, part, 1)
    for name in _deployments(part):
        _kubectl(lab, "rollout", "status", name, f"--timeout={_PATIENCE}s")


def scale(lab: Lab, part: str, replicas: int) -> None:
    """Have so many pods of each Deployment of a part; waits for nothing."""
    _kubectl(lab, "scale", *_deployments(part), f"--replicas={replicas}")


def pids(part: str) -> list[int]:
    """The process ids of a part's containers, as this host sees them."""
    wanted = set(_containers(part))
    lines = [line.split() for line in run([*_CTR, "tasks", "list"]).splitlines()[1:]]
    return [int(pid) for container, pid, status in lines if container in wanted and status == "RUNNING"]


def log(lab: Lab, part: str) -> str:
    """All that a part's pods have written."""
    return _kubectl(lab, "logs", f"--selector={_selector(part)}", "--tail=-1")


def ready(lab: Lab, part: str) -> bool:
    """Whether every pod that a part is to have is ready."""
    listed = json.loads(_kubectl(lab, "get", *_deployments(part), "-o", "json"))
    found = listed.get("items", [listed])
    return all(one["status"].get("readyReplicas", 0) == one["spec"]["replicas"] == 1 for one in found)


_CTR = ("ctr", "--address", str(FRONT.containerd_socket), "--namespace", "k8s.io")


def _containers(part: str) -> list[str]:
    filters = [
        f'labels."io.kubernetes.pod.namespace"=={medea.SYSTEM},labels."io.kubernetes.container.name"=={component}'
        for component in PARTS[part]
    ]
    return run([*_CTR, "containers", "list", "--quiet", *filters]).split()


def _deployments(part: str) -> list[str]:
    return [f"deployment/medea-{component}" for component in PARTS[part]]


def _selector(part: str) -> str:
    return f"app.kubernetes.io/name=medea,app.kubernetes.io/component in ({','.join(PARTS[part])})"


def _kubectl(lab: Lab, *words: str) -> str:
    return lab.kubectl("front", *words, "-n", medea.SYSTEM, timeout=_PATIENCE + 5)
