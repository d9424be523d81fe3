"""Bringing one cluster up: its processes in the order they need, and the objects every cluster starts with."""

import hashlib
from concurrent.futures import Executor
from pathlib import Path

from tests.lab import argo, cgroups, controlplane, monitoring, node, pki, services, supervisor
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, WORKFLOWS, Cluster
from tests.lab.processes import Process
from tests.lab.versions import HERE, version

_NO_WATCHERS = ("apiserver-", "containerd-")


def prepare(cluster: Cluster) -> None:
    """The folders, identities and cgroup that its processes need."""
    cluster.folder.mkdir(parents=True, exist_ok=True)
    pki.kubeconfig(cluster, "admin", controlplane.MASTERS, path=cluster.kubeconfig)
    cgroups.set_up(cluster)


def processes(cluster: Cluster) -> list[Process]:
    """Everything that one cluster consists of."""
    found = [
        controlplane.apiserver(cluster),
        controlplane.controller_manager(cluster),
        controlplane.scheduler(cluster),
        node.containerd(cluster),
        node.kubelet(cluster),
        monitoring.kube_state_metrics(cluster),
    ]
    if argo.controllers_wanted(cluster):
        found.append(argo.workflow_controller(cluster))
    if cluster == FRONT:
        found += [services.kube_proxy(cluster), services.coredns(cluster), argo.argo_server()]
    return found


def bring_up(lab: Lab, cluster: Cluster, archives: list[Path], pool: Executor) -> None:
    """Start what does not run, and wait until a Workflow could run here."""
    container_runtime = pool.submit(_bring_up_containerd, cluster, archives)
    apiserver = controlplane.apiserver(cluster)
    supervisor.start(apiserver)
    supervisor.wait_ready(apiserver)
    first = [controlplane.controller_manager(cluster), controlplane.scheduler(cluster)]
    for process in first:
        supervisor.start(process)
    _apply(lab, cluster)
    container_runtime.result()
    _stop_unwanted(cluster)
    _start(processes(cluster))
    _wait_usable(lab, cluster)


def look_again(cluster: Cluster) -> None:
    """Start everything anew that watches the cluster's apiserver, as far as it runs.

    While an apiserver is away these wait longer and longer between two tries, up to a minute (client-go's reflectors),
    and remember that over several absences. In production a lost lease ends them; here nobody holds one.
    """
    watchers = [process for process in processes(cluster) if not process.name.startswith(_NO_WATCHERS)]
    _start([process for process in watchers if supervisor.kill(process.name)])


def _start(together: list[Process]) -> None:
    for process in together:
        supervisor.start(process)
    for process in together:
        supervisor.wait_ready(process)


def _bring_up_containerd(cluster: Cluster, archives: list[Path]) -> None:
    containerd = node.containerd(cluster)
    supervisor.start(containerd)
    supervisor.wait_ready(containerd)
    node.import_images(cluster, archives)


def _stop_unwanted(cluster: Cluster) -> None:
    if not argo.controllers_wanted(cluster):
        supervisor.kill(f"workflow-controller-{cluster.name}")


def _apply(lab: Lab, cluster: Cluster) -> None:
    own = "front" if cluster == FRONT else "target"
    texts = [(HERE / "manifests" / f"{name}.yaml").read_text() for name in ("common", own)]
    texts = [text.replace("admissionregistration.k8s.io/v1beta1", controlplane.policies()) for text in texts]
    key = hashlib.sha256("".join([*texts, version("ARGO"), argo.crds()]).encode()).hexdigest()[:16]
    marker = cluster.folder / f"applied-{key}"
    if marker.exists():
        return
    text = "\n---\n".join([*texts, argo.manifest()])
    lab.kubectl(cluster.name, "apply", "--server-side", "--force-conflicts", "-f", "-", input=text, timeout=90)
    lab.kubectl(cluster.name, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s", timeout=65)
    marker.touch()


def _wait_usable(lab: Lab, cluster: Cluster) -> None:
    """The node takes pods, and pods of the Workflows' namespace have their ServiceAccount."""
    for what, condition in (
        (f"node/{cluster.name}", "create"),
        (f"node/{cluster.name}", "condition=Ready"),
        ("serviceaccount/default", "create"),
    ):
        words = ["-n", WORKFLOWS, "wait", f"--for={condition}", what, "--timeout=60s"]
        lab.kubectl(cluster.name, *words, timeout=65)
