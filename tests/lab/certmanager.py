"""cert-manager for the front door, as one process on the host: its issuers, certificates and injector of authorities.

It is built and started by the test that needs it. Its webhook, which only refuses mistakes, is left out.
"""

from tests.lab import binaries, supervisor
from tests.lab.binaries import binary
from tests.lab.controlplane import MASTERS
from tests.lab.lab import Lab
from tests.lab.processes import Process, http_ok
from tests.lab.sources import cert_manager_source

NAME = "cert-manager"
_HEALTH = "127.0.0.1:9682"
_GROUP = "cert-manager.io"
_KINDS = ("certificaterequests", "certificates", "clusterissuers", "issuers")


def build() -> None:
    """Build the program, unless it is in the cache."""
    binaries.build(NAME)


def bring_up(lab: Lab) -> None:
    """Install its kinds and start it."""
    folder = cert_manager_source() / "deploy" / "crds"
    files = [f"--filename={folder / f'{_GROUP}_{kind}.yaml'}" for kind in _KINDS]
    # They are too large for the annotation of a plain apply.
    lab.kubectl("front", "apply", "--server-side", *files)
    lab.kubectl("front", "wait", "crd", *_crds(), "--for=condition=Established", "--timeout=60s", timeout=65)
    there = process(lab)
    supervisor.start(there)
    supervisor.wait_ready(there)


def take_down(lab: Lab) -> None:
    """End it, and remove all of its kinds, and with them all that is of these kinds."""
    supervisor.kill(NAME)
    lab.kubectl("front", "delete", "crd", *_crds(), "--ignore-not-found", "--timeout=60s", timeout=65)


def process(lab: Lab) -> Process:
    """The process."""
    environment = {"KUBECONFIG": str(lab.identity("front", "system:cert-manager", MASTERS))}
    argv = [binary(NAME), f"-health={_HEALTH}"]
    return Process(NAME, argv, http_ok(f"http://{_HEALTH}/readyz"), env=environment)


def _crds() -> list[str]:
    return [f"{kind}.{_GROUP}" for kind in _KINDS]
