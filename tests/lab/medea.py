"""Medea's own processes in the laboratory, and what it installs into the clusters.

Medea runs as two processes of this checkout on the host, so that they can be killed and started one by one; what it
needs inside the clusters comes from the project's own manifests.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from certs.files import ensure
from plugin.configmap import configmap
from tests.lab import argo, image, pki
from tests.lab.lab import Lab
from tests.lab.layout import (
    ARGO_SERVER_URL,
    CHECKOUT,
    FRONT,
    MEDEA_CERTS,
    MEDEA_LOGS_CERTS,
    MEDEA_LOGS_PORT,
    MEDEA_PORT,
    MEDEA_URL,
    POSTGRES_PORT,
    PROMETHEUS,
    TARGETS,
    WORKFLOWS,
)
from tests.lab.processes import Process, from_caller, http_ok
from webhook.targets import grants

USER = "system:serviceaccount:medea-system:medea"
"""The lab's certificates name the very account that the manifests give rights to."""
SYSTEM = "medea-system"
_AGENTS_REACH = f"https://{FRONT.gateway}:{MEDEA_PORT}"
_CONTROLLER_METRICS = 9096
_PYTHON = str(CHECKOUT / ".venv/bin/python")


def processes(lab: Lab, *, address: str = FRONT.gateway) -> list[Process]:
    """The processes of Medea, `webhook` and `controller`; the front door's apiserver reaches them at `address`."""
    environment = {
        "KUBECONFIG": str(lab.identity("front", USER)),
        "MEDEA_ARGO_SERVER": ARGO_SERVER_URL,
        "MEDEA_CERTS": str(MEDEA_CERTS),
        "MEDEA_LOGS_CERTS": str(MEDEA_LOGS_CERTS),
        "MEDEA_LOGS_PORT": str(MEDEA_LOGS_PORT),
        "MEDEA_LOGS_ADDRESS": address,
        "MEDEA_CONTROLLER_METRICS_PORT": str(_CONTROLLER_METRICS),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        **from_caller(
            POSTGRESQL_URL=f"127.0.0.1:{POSTGRES_PORT}/medea",
            PROMETHEUS_URL=f"http://{PROMETHEUS}",
            MEDEA_SAMPLE_INTERVAL="1",
            MEDEA_SWEEP_INTERVAL="10",
            MEDEA_PROBE_QUIET="5",
            MEDEA_HOLD="plugin" if argo.controllers_wanted(FRONT) else "none",
        ),
    }
    source = _source_digest()
    return [
        Process(
            "webhook",
            [_PYTHON, "-m", "webhook", "serve"],
            ready=http_ok(f"{MEDEA_URL}/readyz", MEDEA_CERTS / "ca.crt"),
            env=environment,
            cwd=CHECKOUT,
            config=source,
        ),
        Process(
            "controller",
            [_PYTHON, "-m", "webhook", "controller"],
            ready=http_ok(f"http://127.0.0.1:{_CONTROLLER_METRICS}/metrics"),
            env=environment,
            cwd=CHECKOUT,
            config=source,
        ),
    ]


def prepare() -> None:
    """Make the certificates that the environment file and the webhook's configuration speak of."""
    ensure(MEDEA_CERTS, names=("medea.medea-system.svc", "localhost"), ips=("127.0.0.1", FRONT.gateway))
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
    lab.import_image("front", image.build(lambda _: None))
    for name in (
        "base/namespace.yaml",
        "base/rbac.yaml",
        "base/argo.yaml",
        "logs/rbac.yaml",
        "clusterprofiles/crd.yaml",
    ):
        lab.kubectl("front", "apply", "-f", str(CHECKOUT / "manifests" / name))
    for target in TARGETS:
        add_target(lab, target.name)
    apply(lab, configmap(_AGENTS_REACH, (MEDEA_CERTS / "ca.crt").read_text(), image.IMAGE, "argo"))
    lab.kubectl("front", "apply", "-n", WORKFLOWS, "-f", str(CHECKOUT / "examples/hello-world-template.yaml"))
    apply(lab, webhook_configuration())


def add_target(lab: Lab, target: str) -> None:
    """Make a cluster a target that accepts work from the laboratory's own namespace."""
    lab.kubectl(target, "apply", "-f", str(CHECKOUT / "manifests/target/rbac.yaml"))
    lab.kubectl(target, "apply", "-f", "-", input=json.dumps(consent(WORKFLOWS)))
    register(lab, target)


def consent(namespace: str) -> dict[str, Any]:
    """What a target's administrator binds in a namespace that is to accept work."""
    grant = grants.consent(namespace)
    return {"apiVersion": grant.kind.api_version, "kind": grant.kind.kind, **grant.body}


def register(lab: Lab, target: str, *, port: int | None = None) -> None:
    """Make a cluster a target, as an administrator would: by a Secret at the front door.

    With a `port`, its apiserver is reached through that one on the loopback.
    """
    config = yaml.safe_load(lab.identity(target, USER).read_text())
    if port is not None:
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    kubeconfig = json.dumps(config).encode()
    apply(
        lab,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"target-{target}", "namespace": SYSTEM, "labels": {"medea.dev/cluster": target}},
            "data": {"kubeconfig": base64.b64encode(kubeconfig).decode()},
        },
    )


def webhook_configuration(url: str = MEDEA_URL) -> dict[str, Any]:
    """The project's own, with an address in place of the Service: Medea runs outside of the cluster here."""
    configuration: dict[str, Any] = yaml.safe_load((CHECKOUT / "manifests/base/webhook.yaml").read_text())
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
