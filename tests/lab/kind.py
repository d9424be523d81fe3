"""`LAB=kind make lab`: the same laboratory with clusters made by kind, for a machine with Docker.

THIS HALF HAS NEVER BEEN RUN: it was written on a machine without Docker. What it starts on the host is what the other
half starts and what the tests use; that kind's clusters can reach it is reasoned, not seen.

kind stands in for etcd, the control planes and the nodes. Everything else stays a process of this host, with the same
ports: Argo's controllers and argo-server, kube-state-metrics, Prometheus, Postgres, Medea. They reach the clusters by
the ports that kind publishes on the loopback; apiservers and pods reach Medea by the gateway of Docker's network.
"""

import argparse
import base64
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from certs.files import NAMES, ensure
from tests.lab import (
    argo,
    binaries,
    envfile,
    golang,
    image,
    images,
    layout,
    lifecycle,
    medea,
    monitoring,
    postgres,
    supervisor,
    tokens,
)
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import (
    CHECKOUT,
    CLUSTERS,
    ENV_FILE,
    FRONT,
    KUBE,
    MEDEA_CERTS,
    MEDEA_PORT,
    STATE,
    TARGETS,
    Cluster,
)
from tests.lab.prerequisites import check_root
from tests.lab.processes import Process
from tests.lab.progress import shown
from tests.lab.shell import run
from tests.lab.versions import HERE

KIND_VERSION = "0.33.0"
# Not installed from here: Debian's containerd beside Docker's own would break Docker.
_NEEDED = {"docker": "docker", "prometheus": "/usr/bin/prometheus", "busybox-static": str(images.BUSYBOX_PROGRAM)}


def up() -> None:
    """Make what is missing, and start everything."""
    check_root()
    _check_machine()
    with shown("build") as progress:
        binaries.build_all(progress.report)
    lab, kind = Lab(), _kind()
    KUBE.mkdir(parents=True, exist_ok=True)
    for cluster in CLUSTERS:
        _make(lab, kind, cluster)
    archives = [*images.build_all(), _medea_archive()]
    for cluster in CLUSTERS:
        for archive in archives:
            run([kind, "load", "image-archive", str(archive), "--name", kind_name(cluster)], timeout=300)
    postgres.prepare()
    _start(postgres.process())
    postgres.ensure_database()
    _start(monitoring.prometheus())
    for cluster in CLUSTERS:
        _start(monitoring.kube_state_metrics(cluster))
        if argo.controllers_wanted(cluster):
            _start(argo.workflow_controller(cluster))
    _start(argo.argo_server())
    template = "{{range .IPAM.Config}}{{.Gateway}} {{end}}"
    address = gateway(run(["docker", "network", "inspect", "kind", "-f", template]))
    _install_medea(lab, address)
    for process in medea.processes(lab, address=address):
        _start(process)
    envfile.write()
    print(f"source {ENV_FILE}")


def down() -> None:
    """Remove the clusters and the processes; caches stay."""
    check_root()
    kind = _kind()
    for cluster in CLUSTERS:
        run([kind, "delete", "cluster", "--name", kind_name(cluster)], timeout=120)
    supervisor.kill_marked()
    shutil.rmtree(STATE, ignore_errors=True)
    ENV_FILE.unlink(missing_ok=True)


def kind_name(cluster: Cluster) -> str:
    """kind's name for a cluster."""
    return f"medea-{cluster.name}"


def cluster_config() -> dict[str, Any]:
    """What kind is told: one node, and the beta policy that makes pods' requests small (see manifests/common.yaml)."""
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "featureGates": {"MutatingAdmissionPolicy": True},
        "runtimeConfig": {"admissionregistration.k8s.io/v1beta1": "true"},
        "nodes": [{"role": "control-plane"}],
    }


def create_command(kind: str, cluster: Cluster, node_image: str | None) -> list[str]:
    """The command that makes a cluster; its configuration goes to stdin."""
    words = [kind, "create", "cluster", "--name", kind_name(cluster), "--kubeconfig", str(cluster.kubeconfig)]
    words += ["--config", "-", "--wait", "180s"]
    return [*words, "--image", node_image] if node_image else words


def gateway(addresses: str) -> str:
    """The host's address as kind's nodes see it: the IPv4 one among the gateways of Docker's network."""
    found = [word for word in addresses.split() if "." in word]
    if not found:
        raise LabError(f"Docker's network `kind` has no IPv4 gateway, only {addresses.strip() or 'none'}")
    return found[0]


def _check_machine() -> None:
    if missing := [name for name, program in _NEEDED.items() if shutil.which(program) is None]:
        raise LabError(f"LAB=kind needs {', '.join(missing)}")
    try:
        lifecycle.everything()
    except LabError:
        return
    raise LabError("the laboratory without Docker is up, and holds the same ports: make lab-down")


def _kind() -> str:
    on_path = shutil.which("kind")
    folder = golang.CACHE / f"kind-{KIND_VERSION}"
    if not on_path and not (folder / "kind").exists():
        told = {"GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        run([golang.find_go(), "install", f"sigs.k8s.io/kind@v{KIND_VERSION}"], timeout=900, env=told, cwd=Path("/"))
    return on_path or str(folder / "kind")


def _make(lab: Lab, kind: str, cluster: Cluster) -> None:
    if kind_name(cluster) not in run([kind, "get", "clusters"]).split():
        words = create_command(kind, cluster, os.environ.get("KIND_NODE_IMAGE"))
        run(words, input=yaml.safe_dump(cluster_config()), timeout=600)
    own = "front" if cluster == FRONT else "target"
    texts = [(HERE / "manifests" / f"{name}.yaml").read_text() for name in ("common", own)]
    text = "\n---\n".join([*texts, argo.manifest()])
    lab.kubectl(cluster.name, "apply", "--server-side", "--force-conflicts", "-f", "-", input=text, timeout=90)
    lab.kubectl(cluster.name, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s", timeout=65)
    for manifest in medea.FRONT_MANIFESTS if cluster == FRONT else (medea.TARGET_MANIFEST,):
        lab.kubectl(cluster.name, "apply", "-f", str(CHECKOUT / "manifests" / manifest))
    shutil.copy(cluster.kubeconfig, tokens.identity_file(cluster, "kube-state-metrics"))
    ours = ("medea-controller", "medea-webhook") if cluster == FRONT else ("medea",)
    argos = ("argo", "argo-server") if cluster == FRONT else ("argo",)
    for account in (*(f"medea-system:{one}" for one in ours), *(f"argo:{one}" for one in argos)):
        tokens.give_identity(lab, cluster, *account.split(":"))


def _medea_archive() -> Path:
    archive = STATE / "medea-image.tar"
    run(["docker", "build", "--quiet", "--tag", image.IMAGE, str(CHECKOUT)], timeout=900)
    run(["docker", "save", image.IMAGE, "--output", str(archive)], timeout=300)
    return archive


def _install_medea(lab: Lab, address: str) -> None:
    ensure(MEDEA_CERTS, names=NAMES, ips=("127.0.0.1", address))
    # kubeadm's apiserver doesn't check kubelets, and its own certificate is of the cluster's authority.
    authority = yaml.safe_load(FRONT.kubeconfig.read_text())["clusters"][0]["cluster"]["certificate-authority-data"]
    certificate, key = (MEDEA_CERTS / name for name in ("tls.crt", "tls.key"))
    medea.write_logs_certs(certificate.read_bytes(), key.read_bytes(), base64.b64decode(authority))
    for target in TARGETS:
        medea.add_target(lab, target.name, host="127.0.0.1")
    webhooks = medea.webhook_configuration(f"https://{address}:{MEDEA_PORT}")
    medea.apply(lab, webhooks)
    lab.kubectl("front", "apply", "-n", layout.WORKFLOWS, "-f", str(CHECKOUT / "examples/hello-world-template.yaml"))
    medea.make_token(lab)


def _start(process: Process) -> None:
    supervisor.start(process)
    supervisor.wait_ready(process)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.lab.kind", description=__doc__)
    parser.add_argument("what", choices=("up", "down"))
    try:
        {"up": up, "down": down}[parser.parse_args().what]()
    except LabError as error:
        sys.exit(f"lab: {error}")
