"""KEDA for the front door, as two processes on the host: its operator, and the adapter that the HPA controller asks.

It is built and started by the test that needs it: it is large, and nothing else in the laboratory does.
"""

import base64
import json
from pathlib import Path
from typing import Any

from tests.lab import binaries, pki, supervisor
from tests.lab.binaries import binary
from tests.lab.controlplane import MASTERS
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, STATE
from tests.lab.processes import Process, http_ok, http_ok_unverified
from tests.lab.sources import keda_source

SPACE = "keda"
OPERATOR, ADAPTER = "keda-operator", "keda-adapter"
GROUP = "v1beta1.external.metrics.k8s.io"
_SERVICE = "keda-metrics-apiserver"
_CERTS = STATE / "keda"
_METRICS_SERVICE, _HEALTH, _ADAPTER = 9666, 9681, 6463
_KINDS = ("scaledobjects", "scaledjobs", "triggerauthentications", "clustertriggerauthentications")
_EVENTING = ("cloudeventsources", "clustercloudeventsources")


def build() -> None:
    """Build both programs, unless they are in the cache."""
    for name in (OPERATOR, ADAPTER):
        binaries.build(name)


def bring_up(lab: Lab) -> None:
    """Install its kinds, start both processes, and wait until the front door has its metrics."""
    folder = keda_source() / "config/crd/bases"
    files = [f"keda.sh_{kind}.yaml" for kind in _KINDS] + [f"eventing.keda.sh_{kind}.yaml" for kind in _EVENTING]
    for file in files:
        # They are too large for the annotation of a plain apply.
        lab.kubectl("front", "apply", "--server-side", "-f", str(folder / file))
    lab.kubectl("front", "apply", "-f", "-", input=json.dumps(_objects()))
    for process in processes(lab):
        supervisor.start(process)
        supervisor.wait_ready(process)
    lab.kubectl("front", "wait", "apiservice", GROUP, "--for=condition=Available", "--timeout=90s", timeout=95)


def take_down(lab: Lab) -> None:
    """End both, and remove all that `bring_up` has put into the front door."""
    # Only the operator lets go of these.
    made = "scaledobjects.keda.sh,triggerauthentications.keda.sh"
    lab.kubectl("front", "delete", made, "--all", "-A", "--ignore-not-found", "--timeout=60s", timeout=65)
    for name in (ADAPTER, OPERATOR):
        supervisor.kill(name)
    lab.kubectl("front", "delete", "apiservice", GROUP, "--ignore-not-found")
    kinds = [f"{kind}.keda.sh" for kind in _KINDS] + [f"{kind}.eventing.keda.sh" for kind in _EVENTING]
    lab.kubectl("front", "delete", "crd", *kinds, "--ignore-not-found", "--timeout=60s", timeout=65)
    lab.kubectl("front", "delete", "namespace", SPACE, "--ignore-not-found", "--wait=false")


def processes(lab: Lab) -> list[Process]:
    """The operator and the adapter."""
    certificates = _certificates()
    environment = {
        "KUBECONFIG": str(lab.identity("front", "system:keda", MASTERS)),
        "POD_NAMESPACE": SPACE,
        "WATCH_NAMESPACE": "",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": SPACE,
    }
    operator = [
        binary(OPERATOR),
        f"--metrics-service-bind-address=127.0.0.1:{_METRICS_SERVICE}",
        f"--health-probe-bind-address=127.0.0.1:{_HEALTH}",
        "--enable-prometheus-metrics=false",
        f"--cert-dir={certificates}",
        # Who vouches for whom is said by the laboratory.
        "--enable-cert-rotation=false",
        "--enable-webhook-patching=false",
        "--enable-apiservice-patching=false",
        "--zap-log-level=info",
    ]
    kubeconfig = environment["KUBECONFIG"]
    adapter = [
        binary(ADAPTER),
        f"--metrics-service-address=127.0.0.1:{_METRICS_SERVICE}",
        f"--bind-address={FRONT.gateway}",
        f"--secure-port={_ADAPTER}",
        "--port=0",
        f"--cert-dir={certificates}",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--lister-kubeconfig={kubeconfig}",
    ]
    return [
        Process(OPERATOR, operator, http_ok(f"http://127.0.0.1:{_HEALTH}/readyz"), env=environment, deadline=120),
        Process(
            ADAPTER,
            adapter,
            http_ok_unverified(f"https://{FRONT.gateway}:{_ADAPTER}/healthz"),
            env=environment,
            deadline=120,
        ),
    ]


def _certificates() -> Path:
    """A folder with what both show to each other, and to the front door's apiserver."""
    names = [f"{_SERVICE}.{SPACE}.svc", f"{OPERATOR}.{SPACE}.svc", "localhost", "127.0.0.1", FRONT.gateway]
    certificate, key = pki.issue("keda", "keda", hosts=names)
    _CERTS.mkdir(parents=True, exist_ok=True)
    for name, source in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", pki.CA)):
        (_CERTS / name).write_bytes(source.read_bytes())
    return _CERTS


def _objects() -> dict[str, Any]:
    """Its namespace, and the way from the apiserver to the adapter on the host."""

    def thing(version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
        labels = content.pop("labels", {})
        return {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name, "namespace": SPACE, "labels": labels},
            **content,
        }

    port = {"name": "https", "port": 443, "protocol": "TCP"}
    authority = base64.b64encode(pki.CA.read_bytes()).decode()
    service = {"name": _SERVICE, "namespace": SPACE, "port": 443}
    spec = {
        "group": "external.metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "caBundle": authority,
        "service": service,
    }
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}},
        thing("v1", "Service", _SERVICE, spec={"ports": [port]}),
        thing(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            f"{_SERVICE}-host",
            labels={"kubernetes.io/service-name": _SERVICE},
            addressType="IPv4",
            endpoints=[{"addresses": [FRONT.gateway]}],
            ports=[{**port, "port": _ADAPTER}],
        ),
        {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": GROUP}, "spec": spec},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}
