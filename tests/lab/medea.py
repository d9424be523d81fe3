"""Medea's own processes in the laboratory, for LAB_MEDEA=processes, and what it installs into the clusters.

There Medea runs from this checkout on the host: all doors below one process, and the controller. Both can be killed and
started one by one; what it needs inside the clusters comes from the project's own manifests.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from certs.files import NAMES, ensure
from tests.lab import argo, image, node, pki
from tests.lab.lab import Lab
from tests.lab.layout import (
    ARGO_SERVER_URL,
    CHECKOUT,
    FRONT,
    MEDEA_API_TOKEN,
    MEDEA_CERTS,
    MEDEA_LOGS_CERTS,
    MEDEA_LOGS_PORT,
    MEDEA_METRICS,
    MEDEA_PLUGIN_PORT,
    MEDEA_URL,
    POSTGRES_PORT,
    PROMETHEUS,
    TARGETS,
    WORKFLOWS,
)
from tests.lab.processes import Process, from_caller, http_ok
from webhook.targets import grants

SYSTEM = "medea-system"
SPACE = "medea-targets"
USER = f"system:serviceaccount:{SYSTEM}:medea"
"""The lab's certificates name the very accounts that the manifests give rights to; this one is Medea's on targets."""
CLUSTER_PROFILES = "clusterprofiles/crd.yaml"
FRONT_MANIFESTS = (
    "base/namespace.yaml",
    *(f"chart/files/{name}.yaml" for name in ("rbac", "policies", "argo", "logs-rbac")),
    CLUSTER_PROFILES,
)
TARGET_MANIFEST = "target/rbac.yaml"
_CONTROLLER_METRICS = MEDEA_METRICS["controller"]
_DOORS_METRICS = set(MEDEA_METRICS.values()) - {_CONTROLLER_METRICS}
_PYTHON = str(CHECKOUT / ".venv/bin/python")


def processes(lab: Lab, *, address: str = FRONT.gateway) -> list[Process]:
    """The processes of Medea: `webhook`, with all doors below it, and `controller`.

    The front door's apiserver reaches them at `address`.
    """
    environment = {
        "MEDEA_ARGO_SERVER": ARGO_SERVER_URL,
        "MEDEA_CERTS": str(MEDEA_CERTS),
        "MEDEA_LOGS_CERTS": str(MEDEA_LOGS_CERTS),
        "MEDEA_LOGS_PORT": str(MEDEA_LOGS_PORT),
        "MEDEA_LOGS_ADDRESS": address,
        "MEDEA_CONTROLLER_METRICS_PORT": str(_CONTROLLER_METRICS),
        "MEDEA_PLUGIN_IMAGE": image.IMAGE,
        "MEDEA_PLUGIN_URL": f"https://{address}:{MEDEA_PLUGIN_PORT}",
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        **from_caller(
            POSTGRESQL_URL=f"127.0.0.1:{POSTGRES_PORT}/medea",
            PROMETHEUS_URL=f"http://{PROMETHEUS}",
            MEDEA_SAMPLE_INTERVAL="1",
            MEDEA_SWEEP_INTERVAL="10",
            MEDEA_PROBE_QUIET="5",
            MEDEA_TLS_SECRET="",
            MEDEA_TLS_NAMES="",
            MEDEA_TLS_LIFE="",
            MEDEA_TLS_AUTHORITY_LIFE="",
            MEDEA_HOLD="plugin" if argo.controllers_wanted(FRONT) else "none",
        ),
    }
    source = _source_digest()
    return [
        Process(
            "webhook",
            [_PYTHON, "-m", "webhook", "serve"],
            ready=_doors_are_ready,
            env={**environment, "KUBECONFIG": str(identity(lab, "medea-webhook"))},
            cwd=CHECKOUT,
            config=source,
        ),
        Process(
            "controller",
            [_PYTHON, "-m", "webhook", "controller"],
            ready=http_ok(f"http://127.0.0.1:{_CONTROLLER_METRICS}/metrics"),
            env={**environment, "KUBECONFIG": str(identity(lab, "medea-controller"))},
            cwd=CHECKOUT,
            config=source,
        ),
    ]


def _doors_are_ready() -> bool:
    return all(http_ok(f"http://127.0.0.1:{port}/readyz")() for port in _DOORS_METRICS)


def identity(lab: Lab, account: str) -> Path:
    """A kubeconfig for one of Medea's accounts at the front door."""
    return lab.identity("front", f"system:serviceaccount:{SYSTEM}:{account}")


def prepare() -> None:
    """Make the certificates that the environment file and the webhook's configuration speak of."""
    ensure(MEDEA_CERTS, names=NAMES, ips=("127.0.0.1", FRONT.gateway))
    # The apiserver trusts kubelets of the laboratory's own authority only, and shows them a certificate of the same.
    certificate, key = pki.issue("medea-logs", "medea-logs", hosts=[FRONT.gateway])
    write_logs_certs(certificate.read_bytes(), key.read_bytes(), pki.CA.read_bytes())


def write_logs_certs(certificate: bytes, key: bytes, authority: bytes) -> None:
    """Make the folder that the port for logs reads; `authority` vouches for the apiserver."""
    MEDEA_LOGS_CERTS.mkdir(parents=True, exist_ok=True)
    for name, content in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority)):
        (MEDEA_LOGS_CERTS / name).write_bytes(content)


def install(lab: Lab) -> None:
    """Called when the clusters are ready, before the processes start."""
    prepare()
    node.import_images(FRONT, [image.build(lambda _: None)])
    for name in FRONT_MANIFESTS:
        lab.kubectl("front", "apply", "-f", str(CHECKOUT / "manifests" / name))
    # The process that serves the webhook serves logs too.
    apply(lab, _also("medea-logs", "medea-webhook"))
    for target in TARGETS:
        add_target(lab, target.name)
    lab.kubectl("front", "apply", "-n", WORKFLOWS, "-f", str(CHECKOUT / "examples/hello-world-template.yaml"))
    apply(lab, webhook_configuration())
    make_token(lab)


def remove(lab: Lab) -> None:
    """Remove from the front door what `install` put there. The processes have to be away."""
    delete = ("delete", "--ignore-not-found", "--timeout=60s")
    lab.kubectl("front", *delete, "mutatingwebhookconfiguration", "medea")
    lab.kubectl("front", *delete, "clusterrolebinding", _also("medea-logs", "medea-webhook")["metadata"]["name"])
    files = [f"--filename={CHECKOUT / 'manifests' / name}" for name in reversed(FRONT_MANIFESTS)]
    lab.kubectl("front", *delete, *files, timeout=65)


def make_token(lab: Lab) -> None:
    """Write an administrator's token where tests and people find it: the API wants one, and certificates are none."""
    account = {"name": "administrator", "namespace": WORKFLOWS}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    apply(lab, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    apply(
        lab,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "medea-lab-administrator"},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
    )
    words = ("create", "token", account["name"], "-n", account["namespace"], "--duration=240h")
    MEDEA_API_TOKEN.touch(mode=0o600)
    MEDEA_API_TOKEN.write_text(lab.kubectl("front", *words))


def _also(role: str, account: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"lab-{role}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}],
    }


def add_target(lab: Lab, target: str, *, host: str = FRONT.gateway) -> None:
    """Make a cluster a target that accepts work from the laboratory's own namespace."""
    lab.kubectl(target, "apply", "-f", str(CHECKOUT / "manifests" / TARGET_MANIFEST))
    lab.kubectl(target, "apply", "-f", "-", input=json.dumps(consent(WORKFLOWS)))
    register(lab, target, host=host)


def consent(namespace: str) -> dict[str, Any]:
    """What a target's administrator binds in a namespace that is to accept work."""
    grant = grants.consent(namespace)
    return {"apiVersion": grant.kind.api_version, "kind": grant.kind.kind, **grant.body}


def register(lab: Lab, target: str, *, host: str = FRONT.gateway, port: int | None = None) -> None:
    """Make a cluster a target, as an administrator would: by a Secret at the front door.

    Its apiserver is reached at `host`, which its certificate has to name, and through `port` if there is one.
    """
    address = f"{host}:{port or lab.cluster(target).api_port}"
    kubeconfig = json.dumps(at_address(lab.identity(target, USER), address)).encode()
    apply(
        lab,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"target-{target}", "namespace": SPACE, "labels": {"medea.dev/cluster": target}},
            "data": {"kubeconfig": base64.b64encode(kubeconfig).decode()},
        },
    )


def at_address(kubeconfig: Path, address: str) -> dict[str, Any]:
    """A kubeconfig's content with another address of the same apiserver."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{address}"
    return config


def webhook_configuration(url: str = MEDEA_URL) -> dict[str, Any]:
    """The project's own, with an address in place of the Service: Medea runs outside of the cluster here."""
    configuration: dict[str, Any] = yaml.safe_load((CHECKOUT / "manifests/chart/files/webhook.yaml").read_text())
    bundle = base64.b64encode((MEDEA_CERTS / "ca.crt").read_bytes()).decode()
    for webhook in configuration["webhooks"]:
        webhook["clientConfig"] = {"url": f"{url}/mutate", "caBundle": bundle}
    return configuration


def apply(lab: Lab, manifest: dict[str, Any]) -> None:
    """`kubectl apply` at the front door."""
    lab.kubectl("front", "apply", "-f", "-", input=json.dumps(manifest))


def _source_digest() -> str:
    """Changes with Medea's source, so that `up` starts what runs an older one anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(CHECKOUT / "webhook").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
