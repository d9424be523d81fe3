"""Argo Workflows on every cluster: its custom resources, rights, controllers, and the front door's argo-server."""

import os
from pathlib import Path
from typing import Any

import yaml

from tests.lab import pki
from tests.lab.binaries import binary
from tests.lab.layout import ARGO_SERVER_URL, ARGOEXEC, FRONT, Cluster
from tests.lab.processes import Process, from_caller, http_ok, logged
from tests.lab.sources import argo_source

_NAMESPACED = {"ServiceAccount", "Role", "RoleBinding"}
# The controller has no port of its own to ask; it says this as soon as its caches are full.
_READY_LINE = "archived workflow GC disabled"


def manifest() -> str:
    """Argo's own manifests as one text: custom resources, ServiceAccounts and RBAC, in namespace argo."""
    base = argo_source() / "manifests"
    # Text that needs no change is not parsed: the full schemas are megabytes.
    custom = [file.read_text() for file in sorted((base / "base" / "crds" / crds()).glob("argoproj.io_*.yaml"))]
    files = sorted((base / "base").glob("*/*-sa.yaml"))
    # Argo 3.6 has it under another name.
    install = next(found for found in (base / "cluster-install-no-crds", base / "cluster-install") if found.exists())
    for folder in ("workflow-controller-rbac", "argo-server-rbac"):
        files += sorted((install / folder).glob("*.yaml"))
    documents = [_in_namespace(document) for file in files for document in _documents(file)]
    return "\n---\n".join([*custom, yaml.safe_dump_all(documents)])


def crds() -> str:
    """Which custom resources: `minimal`, as Argo's own install has them, or `full`, with every field's schema.

    The full ones cost each apiserver 40 seconds at the start and 700 MB for good, so they are for those who ask.
    """
    return os.environ.get("LAB_CRDS", "minimal")


def controllers_wanted(cluster: Cluster) -> bool:
    """Whether the cluster runs Argo's controller: the front door can do without, to show Medea's other hold."""
    return cluster != FRONT or os.environ.get("FRONT_CONTROLLER", "on") != "off"


def workflow_controller(cluster: Cluster) -> Process:
    """One cluster's workflow-controller."""
    name = f"workflow-controller-{cluster.name}"
    argv = [
        binary("workflow-controller"),
        f"--kubeconfig={_identity(cluster, 'argo')}",
        "--configmap=workflow-controller-configmap",
        f"--executor-image={ARGOEXEC}",
        "--executor-image-pull-policy=IfNotPresent",
        "--qps=200",
        "--burst=400",
    ]
    environment = {
        "ARGO_EXECUTOR_PLUGINS": "true",
        "LEADER_ELECTION_DISABLE": "true",
        # When its apiserver goes away this watch spins for ever, on a full core and gigabytes of log.
        "WATCH_CONTROLLER_SEMAPHORE_CONFIGMAPS": "false",
        **from_caller(DEFAULT_REQUEUE_TIME="1s", ARGO_AGENT_PATCH_RATE="1s", ALWAYS_OFFLOAD_NODE_STATUS="false"),
    }
    return Process(name, argv, logged(name, _READY_LINE), environment)


def argo_server(cluster: Cluster = FRONT, url: str = ARGO_SERVER_URL) -> Process:
    """The front door's argo-server, or one for another cluster that a test starts itself."""
    identity = _identity(cluster, "argo-server")
    argv = [
        binary("argo"),
        "server",
        f"--kubeconfig={identity}",
        # As whoever sends a token, and as itself for others.
        "--auth-mode=client",
        "--auth-mode=server",
        "--secure=false",
        f"--port={url.rpartition(':')[2]}",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]
    # Where the apiserver is that tokens are for, it reads from the environment only.
    environment = {"KUBECONFIG": str(identity)}
    return Process("argo-server", argv, http_ok(f"{url}/api/v1/version"), environment)


def _identity(cluster: Cluster, account: str) -> Path:
    # The very name and groups that its ServiceAccount would have: webhooks and RBAC see what they see in production.
    groups = ("system:serviceaccounts", "system:serviceaccounts:argo")
    return pki.kubeconfig(cluster, f"system:serviceaccount:argo:{account}", groups, namespace="argo")


def _documents(file: Path) -> list[dict[str, Any]]:
    loaded = yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
    return [document for document in loaded if document and document["kind"] != "Kustomization"]


def _in_namespace(document: dict[str, Any]) -> dict[str, Any]:
    if document["kind"] in _NAMESPACED:
        document["metadata"]["namespace"] = "argo"
    for subject in document.get("subjects", []):
        if subject["kind"] == "ServiceAccount":
            subject["namespace"] = "argo"
    return document
