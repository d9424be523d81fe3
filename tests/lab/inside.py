"""Medea inside the front door, installed by its chart as its users do it.

There is one Medea at a time: two would steer the same Workflows.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.lab import image, medea, node, pgimage, render, supervisor
from tests.lab.binaries import binary
from tests.lab.lab import Lab
from tests.lab.layout import (
    FRONT,
    STATE,
)
from tests.lab.shell import run

RELEASE = "medea"
_VOLUME = "medea-lab"
_FOLDER = STATE / "volumes" / "postgres"
_INSTALL_TIMEOUT = 300
_WAIT = ("--wait", f"--timeout={_INSTALL_TIMEOUT}s")
_VALUES = STATE / "helm-values.yaml"
# Helm's cache and settings are nobody's but this laboratory's.
_HOME = {"HELM_CACHE_HOME": str(STATE / "helm"), "HELM_CONFIG_HOME": str(STATE / "helm")}
Object = dict[str, Any]


def stop_processes(lab: Lab) -> None:
    """End the processes on the host and remove all that they had installed, so that the front door knows no Medea."""
    for name in ("controller", "webhook"):
        supervisor.kill(name)
    medea.remove(lab)


def start_processes(lab: Lab) -> None:
    """Install and start the processes again."""
    medea.install(lab)
    for process in medea.processes(lab):
        supervisor.start(process)
        supervisor.wait_ready(process)


def prepare(lab: Lab) -> None:
    """What a real cluster has before: images that can be pulled, and a volume."""
    node.import_images(FRONT, [image.build(print), pgimage.build(print)])
    # One that a claim has had before is nobody else's.
    clear_up(lab)
    _FOLDER.mkdir(parents=True)
    medea.apply(lab, _volume())


def clear_up(lab: Lab) -> None:
    """Take back what `prepare` made."""
    lab.kubectl("front", "delete", "persistentvolume", _VOLUME, "--ignore-not-found", "--timeout=30s")
    shutil.rmtree(_FOLDER, ignore_errors=True)


def helm(lab: Lab, *words: str) -> str:
    """What helm prints, as the front door's administrator."""
    command = [binary("helm"), *words, f"--kubeconfig={lab.kubeconfig('front')}"]
    return run(command, timeout=_INSTALL_TIMEOUT + 10, env=_HOME)


def is_installed(lab: Lab) -> bool:
    """Whether there is a release, in whatever state."""
    words = ("get", "secrets", "-n", medea.SYSTEM, "-l", f"owner=helm,name={RELEASE}", "-o", "name")
    return bool(lab.kubectl("front", *words).strip())


def install(lab: Lab, values: Object, *, chart: Path = render.CHART, wait: bool = True) -> str:
    """`helm install`, or `helm upgrade`, and `wait` until everything is ready; returns what helm says."""
    _VALUES.write_text(yaml.safe_dump({**IMAGES, **values}))
    words = [str(chart), "--namespace", medea.SYSTEM, f"--values={_VALUES}", *(_WAIT if wait else ())]
    return helm(lab, "upgrade", "--install", RELEASE, *words, "--create-namespace")


def roll_back(lab: Lab) -> str:
    """`helm rollback` to the revision before, and wait until everything is ready; returns what helm says."""
    return helm(lab, "rollback", RELEASE, "--namespace", medea.SYSTEM, *_WAIT)


def uninstall(lab: Lab) -> str:
    """`helm uninstall`; returns what helm says."""
    return helm(lab, "uninstall", RELEASE, "--namespace", medea.SYSTEM, *_WAIT)


IMAGES: Object = {"image": image.IMAGE, "postgres": {"image": pgimage.IMAGE}}
"""What differs from the quick start on a real cluster."""


def _volume() -> Object:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [FRONT.name]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _VOLUME},
        "spec": {
            "capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "lab",
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(_FOLDER)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
