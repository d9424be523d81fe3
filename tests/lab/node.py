"""Each cluster's node: a containerd and a kubelet that share nothing with the other nodes."""

from pathlib import Path

import yaml

from tests.lab import cgroups, images, network, pki
from tests.lab.binaries import binary
from tests.lab.layout import CLUSTER_DOMAIN, DNS_IP, FRONT, KUBELET_PORT, PAUSE, Cluster
from tests.lab.processes import Process, http_ok, socket_listening

_CONTAINERD_CONFIG = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-run"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Raising a score needs CAP_SYS_RESOURCE, which containers and small machines often lack.
  restrict_oom_score_adj = true
  # Under our own folder, so that removing the laboratory removes them.
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  max_concurrent_downloads = 1

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_programs}"
    conf_dir = "{folder}/cni"
    max_conf_num = 1
"""


def containerd(cluster: Cluster) -> Process:
    """The node's container runtime."""
    network.write_cni(cluster, cluster.folder / "cni")
    config = cluster.folder / "containerd.toml"
    config.write_text(
        _CONTAINERD_CONFIG.format(
            folder=cluster.folder,
            socket=cluster.containerd_socket,
            pause=PAUSE,
            cni_programs=network.CNI_PROGRAMS,
        )
    )
    argv = ["/usr/bin/containerd", "--config", str(config), "--log-level", "warn"]
    return Process(f"containerd-{cluster.name}", argv, socket_listening(cluster.containerd_socket))


def import_images(cluster: Cluster, archives: list[Path]) -> None:
    """Give the node every image it does not have yet."""
    done = cluster.folder / "images"
    done.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        # By the image's name: its tag is that of the last one imported.
        marker = done / archive.name.rpartition("-")[0]
        if not marker.exists() or marker.read_text() != archive.name:
            images.import_image(cluster, archive)
            marker.write_text(archive.name)


def kubelet(cluster: Cluster) -> Process:
    """The node's kubelet."""
    cgroups.set_up(cluster)
    identity = f"system:node:{cluster.name}"
    kubeconfig = pki.kubeconfig(cluster, identity, ("system:nodes",))
    argv = [
        binary("kubelet"),
        f"--config={_kubelet_config(cluster)}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={cluster.name}",
        f"--node-ip={cluster.gateway}",
        f"--root-dir={cluster.folder / 'kubelet'}",
        f"--cert-dir={cluster.folder / 'certs'}",
        "--v=1",
    ]
    health = f"http://127.0.0.1:{cluster.kubelet_health_port}/healthz"
    return Process(f"kubelet-{cluster.name}", argv, http_ok(health))


def _kubelet_config(cluster: Cluster) -> Path:
    certificate, key = pki.issue(f"{cluster.name}-kubelet", cluster.name, hosts=[cluster.gateway, cluster.name])
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": cluster.gateway,
        "port": KUBELET_PORT,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": cluster.kubelet_health_port,
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.CA)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        # Two kubelets in one cgroup kill each other's pods.
        "cgroupRoot": f"/{cluster.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        # Limits are there for the quota to count; a step that is allowed 10m must not take minutes.
        "cpuCFSQuota": False,
        "maxPods": 250,
        "podLogsDir": str(cluster.folder / "pod-logs"),
        "volumePluginDir": str(cluster.folder / "volume-plugins"),
        "resolvConf": "",
        "makeIPTablesUtilChains": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # A full disk of the machine is not the laboratory's business.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "registryPullQPS": 0,
        "eventRecordQPS": 50,
    }
    if cluster == FRONT:
        config |= {"clusterDNS": [DNS_IP], "clusterDomain": CLUSTER_DOMAIN}
    path = cluster.folder / "kubelet.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
