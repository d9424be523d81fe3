"""What the laboratory declares: nothing shares a port, and the pins agree."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from tests.lab import binaries, envfile
from tests.lab.layout import CLUSTERS, Cluster
from tests.lab.versions import HERE, version


def _ports(cluster: Cluster) -> set[int]:
    return {
        cluster.api_port,
        cluster.controller_port,
        cluster.scheduler_port,
        cluster.metrics_port,
        cluster.telemetry_port,
        cluster.kubelet_health_port,
    }


@pytest.mark.parametrize(("one", "other"), list(combinations(CLUSTERS, 2)), ids=lambda cluster: cluster.name)
def test_two_clusters_share_neither_ports_nor_networks_nor_cgroups(one: Cluster, other: Cluster) -> None:
    assert not _ports(one) & _ports(other)
    assert len(_ports(one)) == 6
    for name in ("subnet", "gateway", "bridge", "cgroup", "folder", "kubeconfig"):
        assert getattr(one, name) != getattr(other, name)


@pytest.mark.parametrize("cluster", CLUSTERS, ids=lambda cluster: cluster.name)
def test_a_bridges_name_is_short_enough_for_the_kernel(cluster: Cluster) -> None:
    assert len(cluster.bridge) <= 15


@pytest.mark.parametrize(
    ("module", "pin"),
    [
        ("etcd", "ETCD"),
        ("kube-state-metrics", "KUBE_STATE_METRICS"),
        ("keda", "KEDA"),
        ("certmanager", "CERT_MANAGER"),
        ("registry", "REGISTRY"),
        ("kube-router", "KUBE_ROUTER"),
    ],
)
def test_a_go_module_requires_the_pinned_version(module: str, pin: str) -> None:
    assert f"v{version(pin)}" in (HERE / "gomod" / module / "go.mod").read_text().split()


def test_every_program_is_in_a_folder_of_its_version() -> None:
    for name, program in binaries.BINARIES.items():
        assert program.path.parts[-2:] == (f"{name}-{version(program.pin)}", name)


def test_the_environment_file_names_a_kubeconfig_for_each_cluster() -> None:
    variables = envfile.variables()
    assert {f"{cluster.name.upper()}_KUBECONFIG" for cluster in CLUSTERS} <= variables.keys()
    assert variables["KUBECONFIG"] == variables["FRONT_KUBECONFIG"]
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", variables["MEDEA_URL"])


def test_no_committed_file_of_the_laboratory_names_a_registry() -> None:
    for path in Path(HERE).rglob("*.yaml"):
        for image in re.findall(r"image: *(\S+)", path.read_text()):
            assert image.startswith("localhost/"), f"{path}: {image}"
