"""LAB_MEDEA=cluster, the default: Medea runs inside the front door, installed by its chart from the built image.

It uses the laboratory's own Postgres and Prometheus, and is reached from this host at the addresses that the processes
have in the other mode, so that people and tests notice no difference. Each part has one pod: two cores have three
clusters to carry, and a metric is of one process. The chart's own numbers are run by a test.
"""

import base64
import json
import shutil
import sys

from tests.lab import argo, image, inside, medea, node, pki, pods, supervisor
from tests.lab.forward import Way, to_text
from tests.lab.inside import Object
from tests.lab.lab import Lab
from tests.lab.layout import (
    ARGO_SERVER_TLS_PORT,
    ARGO_SERVER_URL,
    CHECKOUT,
    FRONT,
    MEDEA_CERTS,
    MEDEA_LOGS_PORT,
    MEDEA_METRICS,
    MEDEA_PLUGIN_PORT,
    MEDEA_PORT,
    MEDEA_WAYS,
    POSTGRES_DSN,
    PROMETHEUS,
    TARGETS,
    WORKFLOWS,
)
from tests.lab.processes import Process, from_caller, listening

_FORWARDING = "medea-inside"
_SERVICES = {
    MEDEA_PORT: ("medea", 443),
    MEDEA_PLUGIN_PORT: ("medea-plugin", 443),
    8090: ("medea-api", 8090),
    8091: ("medea-api", 8091),
    MEDEA_LOGS_PORT: ("medea-logs", MEDEA_LOGS_PORT),
    **{port: (f"lab-metrics-{part}", port) for part, port in MEDEA_METRICS.items()},
}
"""Ports of the loopback, and the Service and port that each leads to."""
_LEDGER, _ARGO_SERVER_CA, _LOGS = "medea-ledger", "argo-server-ca", "medea-logs"


def bring_up(lab: Lab, **others: Object) -> None:
    """Install Medea, or upgrade what is there; `others` are values of the chart in place of the laboratory's."""
    node.import_images(FRONT, [image.build(lambda _: None)])
    medea.apply(lab, _needed())
    lab.kubectl("front", "apply", "-f", str(CHECKOUT / "manifests" / medea.CLUSTER_PROFILES))
    if inside.is_installed(lab):
        # Somebody may have killed a part, and helm doesn't overwrite what others have changed.
        for part in pods.PARTS:
            pods.scale(lab, part, 1)
    inside.install(lab, {**values(), **others})
    for target in TARGETS:
        medea.add_target(lab, target.name)
    lab.kubectl("front", "apply", "-n", WORKFLOWS, "-f", str(CHECKOUT / "examples/hello-world-template.yaml"))
    take_authority(lab)
    medea.make_token(lab)
    MEDEA_WAYS.write_text(to_text(_ways(lab)))
    for process in processes():
        supervisor.start(process)
        supervisor.wait_ready(process)


def take_down(lab: Lab) -> None:
    """Uninstall it, with all that `bring_up` had put into the front door."""
    supervisor.kill(_FORWARDING)
    MEDEA_WAYS.unlink(missing_ok=True)
    if inside.is_installed(lab):
        inside.uninstall(lab)
    spaces = (medea.SYSTEM, medea.SPACE)
    lab.kubectl("front", "delete", "namespace", *spaces, "--ignore-not-found", "--timeout=180s", timeout=185)
    # The processes have an authority of their own.
    shutil.rmtree(MEDEA_CERTS, ignore_errors=True)


def processes() -> list[Process]:
    """What leads from the processes' addresses to the Services. Asks no apiserver: there may be none just now."""
    if not MEDEA_WAYS.exists():
        return []
    argv = [sys.executable, "-m", "tests.lab.forward", str(MEDEA_WAYS)]
    ways = MEDEA_WAYS.read_text()
    return [Process(_FORWARDING, argv, listening("127.0.0.1", MEDEA_PORT), cwd=CHECKOUT, config=ways)]


def take_authority(lab: Lab) -> None:
    """Write the authority that the leader has made where tests and people on this host look for it."""
    words = ["get", "secret", "medea-tls", "-n", medea.SYSTEM, "-o", r"jsonpath={.data.ca\.crt}"]
    MEDEA_CERTS.mkdir(parents=True, exist_ok=True)
    (MEDEA_CERTS / "ca.crt").write_bytes(base64.b64decode(lab.kubectl("front", *words)))


def values() -> Object:
    """What the chart is told here."""
    settings = from_caller(MEDEA_SAMPLE_INTERVAL="1", MEDEA_SWEEP_INTERVAL="10", MEDEA_PROBE_QUIET="5")
    return {
        "hold": "plugin" if argo.controllers_wanted(FRONT) else "none",
        "postgres": {"embedded": False},
        "ledger": {"secret": _LEDGER},
        "prometheus": {"url": f"http://{FRONT.gateway}:{PROMETHEUS.rpartition(':')[2]}"},
        "argo": {"server": f"https://{FRONT.gateway}:{ARGO_SERVER_TLS_PORT}", "serverCA": _ARGO_SERVER_CA},
        "certificates": {"names": ["localhost", "127.0.0.1"]},
        "webhook": {"replicas": 1},
        "controller": {"replicas": 1},
        # The front door's apiserver is no pod, and knows no name of a Service.
        "logs": {"enabled": True, "secret": _LOGS, "address": FRONT.gateway},
        "minReadySeconds": 0,
        "settings": settings,
        # Its tag stays the same, so that pods would not be replaced when the image is.
        "podAnnotations": {"image": image.build(lambda _: None).name},
    }


def _needed() -> Object:
    """What is to be there before the chart: the namespace, Secrets and authorities that the values name, metrics."""

    def thing(kind: str, name: str, **content: object) -> Object:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": medea.SYSTEM}, **content}

    dsn = POSTGRES_DSN.replace("127.0.0.1", FRONT.gateway)
    certificate, key = pki.issue("medea-logs", "medea-logs", hosts=[FRONT.gateway])
    authority = pki.CA.read_text()
    logs = {"tls.crt": certificate.read_text(), "tls.key": key.read_text(), "ca.crt": authority}
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": medea.SYSTEM}},
            thing("Secret", _LEDGER, stringData={"dsn": dsn}),
            thing("Secret", _LOGS, stringData=logs),
            thing("ConfigMap", _ARGO_SERVER_CA, data={"ca.crt": authority}),
            *(thing("Service", f"lab-metrics-{part}", spec=_metrics(part)) for part in MEDEA_METRICS),
        ],
    }


def _metrics(part: str) -> Object:
    selector = {"app.kubernetes.io/name": "medea", "app.kubernetes.io/component": part}
    return {"selector": selector, "ports": [{"port": MEDEA_METRICS[part]}], "publishNotReadyAddresses": True}


def _ways(lab: Lab) -> list[Way]:
    listed = json.loads(lab.kubectl("front", "get", "services", "-n", medea.SYSTEM, "-o", "json"))["items"]
    addresses = {one["metadata"]["name"]: one["spec"]["clusterIP"] for one in listed}
    ways = [Way(port, addresses[service], far) for port, (service, far) in _SERVICES.items()]
    certificate, key = pki.issue("argo-server-tls", "argo-server", hosts=[FRONT.gateway])
    server = int(ARGO_SERVER_URL.rpartition(":")[2])
    return [*ways, Way(ARGO_SERVER_TLS_PORT, "127.0.0.1", server, str(certificate), str(key))]
