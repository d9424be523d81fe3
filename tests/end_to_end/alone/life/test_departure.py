"""Medea goes from a front door and its targets, and leaves them as they were: compared object by object."""

import sys
from functools import partial

import pytest

from tests.end_to_end.alone.life.inventory import EVENTS, check_nothing_is_left, listed
from tests.end_to_end.commands import Ran, kubectl, run
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import CLUSTERS, TARGETS, annotations, origin, runs_in, runs_of
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import medea, modes
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, POSTGRES_PORT, WORKFLOWS

_MANIFESTS = CHECKOUT / "manifests"
_UNINSTALL = f"{_MANIFESTS}/chart/files/uninstall.yaml"
# They come and go by themselves.
_FLEETING = (
    *EVENTS,
    "leases.coordination.k8s.io",
    "endpoints",
    "endpointslices.discovery.k8s.io",
)


@pytest.mark.usefixtures("_by_chart")
@pytest.mark.timeout(600, func_only=True)
def test_what_medea_has_made_is_gone_from_every_cluster_and_runs_go_on(laboratory: Lab, workspace: Workspace) -> None:
    ended = workspace.create(inline("true", SMALL))
    workspace.wait(ended)
    live = workspace.create(inline("sleep 600", SMALL))
    placement = annotations(origin(workspace.name, live))["placement"]
    eventually(lambda: [run for _, run in runs_of(placement) if run.get("status", {}).get("phase")], "it runs")
    eventually(lambda: kubectl("front", "get", "node", "medea-west").code == 0, "targets have Nodes")

    modes.take_away(laboratory)
    delete_from_targets()

    [(where, there)] = runs_of(placement)
    assert there["status"]["phase"] == "Running" and not there["metadata"].get("finalizers")
    shown = origin(workspace.name, live)
    assert (shown["status"]["phase"], f"on {where} goes on there" in shown["status"]["message"]) == ("Error", True)
    assert origin(workspace.name, ended)["status"]["phase"] == "Succeeded"
    for cluster in CLUSTERS:
        check_nothing_is_left(cluster, partial(left_on, cluster, but=workspace.name))
    # Nothing holds anything any more: a namespace on a target goes, run and all.
    for name in (live, ended):
        workspace.kubectl("delete", "workflow", name, "--timeout=110s").ok()
    for cluster, name in runs_in(workspace.name):
        workspace.kubectl("delete", "workflow", name, "--timeout=110s", cluster=cluster).ok()

    assert "nothing of Medea is left" in uninstall().ok().said


def left_on(cluster: str, *, but: str) -> list[str]:
    """What is Medea's there, except in one namespace."""
    columns = "K:.kind,N:.metadata.namespace,M:.metadata.name,L:.metadata.labels"
    return [one for one in listed(cluster, columns, but=_FLEETING) if is_medeas(one) and but not in one]


def is_medeas(line: str) -> bool:
    """Whether an object is Medea's; a namespace that opted in is somebody else's, and its label too."""
    if "medea-lab-" in line:
        # The laboratory's own administrator.
        return False
    return "medea" in (" ".join(line.split()[:3]) if line.startswith("Namespace ") else line)


def uninstall() -> Ran:
    """The command once more, with the rights that it has as a Job before `helm uninstall`."""
    lab = Lab()
    kubectl("front", "apply", "-f", f"{_MANIFESTS}/base/namespace.yaml").ok()
    kubectl("front", "apply", "-f", _UNINSTALL).ok()
    told = {
        "KUBECONFIG": str(medea.identity(lab, "medea-uninstall")),
        "POSTGRESQL_URL": f"127.0.0.1:{POSTGRES_PORT}/medea",
    }
    try:
        words = [f"{key}={value}" for key, value in told.items()]
        return run(["env", *words, sys.executable, "-m", "webhook", "uninstall", "--yes"], timeout=240)
    finally:
        kubectl("front", "delete", "-f", _UNINSTALL, "--ignore-not-found").ok()
        kubectl("front", "delete", "-f", f"{_MANIFESTS}/base/namespace.yaml", "--timeout=110s").ok()


def delete_from_targets() -> None:
    """As the targets' administrators do."""
    for target in TARGETS:
        kubectl(target, "delete", "rolebinding", "medea-target", "-n", WORKFLOWS, "--ignore-not-found").ok()
        manifest = f"{_MANIFESTS}/{medea.TARGET_MANIFEST}"
        kubectl(target, "delete", "-f", manifest, "--ignore-not-found", "--timeout=110s").ok()
