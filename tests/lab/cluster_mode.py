"""LAB_MEDEA=cluster: Medea runs inside the front door, installed by its chart, in place of the processes on the host.

It uses the laboratory's own Postgres and Prometheus, and is reached at the addresses that the processes have, so that
the demo and most tests notice no difference. What kills the processes `webhook` and `controller` needs these.
"""

import base64
import os
import shutil
import sys

from tests.lab import image, inside, medea, network, supervisor
from tests.lab.inside import Values
from tests.lab.lab import Lab
from tests.lab.layout import (
    CHECKOUT,
    FRONT,
    MEDEA_CERTS,
    MEDEA_PLUGIN_PORT,
    MEDEA_PORT,
    POSTGRES_DSN,
    PROMETHEUS,
    TARGETS,
    WORKFLOWS,
)
from tests.lab.processes import Process, listening

_FORWARDING = "medea-inside"
_WAYS = {
    MEDEA_PORT: ("medea", 443),
    MEDEA_PLUGIN_PORT: ("medea-plugin", 443),
    8090: ("medea-api", 8090),
    8091: ("medea-api", 8091),
}
"""Ports of the loopback, and the Service and port that each leads to."""
_LIKE_THE_PROCESSES: Values = {
    "hold": "plugin",
    "postgres": {"embedded": False},
    "ledger": {"secret": "medea-ledger"},
    "prometheus": {"url": f"http://{FRONT.gateway}:{PROMETHEUS.rpartition(':')[2]}"},
    "certificates": {"names": ["localhost", "127.0.0.1"]},
    "settings": {"MEDEA_SAMPLE_INTERVAL": 1, "MEDEA_SWEEP_INTERVAL": 10, "MEDEA_PROBE_QUIET": 5},
}


def wanted() -> bool:
    """Whether Medea is to run inside."""
    return os.environ.get("LAB_MEDEA", "processes") == "cluster"


def bring_up(lab: Lab) -> None:
    """Have Medea inside, in place of the processes."""
    if not inside.is_installed(lab):
        inside.stop_processes(lab)
    archive = image.build(lambda _: None)
    lab.import_image("front", archive)
    network.let_pods_out()
    medea.apply(lab, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": medea.SYSTEM}})
    dsn = POSTGRES_DSN.replace("127.0.0.1", FRONT.gateway)
    secret = {"name": "medea-ledger", "namespace": medea.SYSTEM}
    medea.apply(lab, {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": {"dsn": dsn}})
    # Its tag stays the same, so that pods would not be replaced when the image is.
    inside.install(lab, {**_LIKE_THE_PROCESSES, "podAnnotations": {"image": archive.name}})
    for target in TARGETS:
        medea.add_target(lab, target.name, host=FRONT.gateway)
    lab.kubectl("front", "apply", "-n", WORKFLOWS, "-f", str(CHECKOUT / "examples/hello-world-template.yaml"))
    _take_authority(lab)
    medea.make_token(lab)
    for process in processes(lab):
        supervisor.start(process)
        supervisor.wait_ready(process)


def take_down(lab: Lab) -> None:
    """Undo `bring_up`, so that the processes can run again."""
    supervisor.kill(_FORWARDING)
    if inside.is_installed(lab):
        inside.uninstall(lab)
        # The processes have an authority of their own.
        shutil.rmtree(MEDEA_CERTS)
    network.keep_pods_in()


def processes(lab: Lab) -> list[Process]:
    """What leads from the processes' addresses to the Services."""
    pairs = "jsonpath={range .items[*]}{.metadata.name}={.spec.clusterIP} {end}"
    words = ["get", "services", "-n", medea.SYSTEM, "-o", pairs]
    found = dict(one.split("=") for one in lab.kubectl("front", *words).split())
    ways = [f"{port}={found[service]}:{far}" for port, (service, far) in _WAYS.items()]
    argv = [sys.executable, "-m", "tests.lab.forward", *ways]
    return [Process(_FORWARDING, argv, listening("127.0.0.1", MEDEA_PORT), cwd=CHECKOUT)]


def _take_authority(lab: Lab) -> None:
    words = ["get", "secret", "medea-tls", "-n", medea.SYSTEM, "-o", r"jsonpath={.data.ca\.crt}"]
    MEDEA_CERTS.mkdir(parents=True, exist_ok=True)
    (MEDEA_CERTS / "ca.crt").write_bytes(base64.b64decode(lab.kubectl("front", *words)))
