"""A registry that wants a name and a password, as a process on the host, with Medea's image.

A test that needs it builds it and brings it up. Each node's containerd reaches it, since it is on the loopback.
"""

import shutil

import yaml

from tests.lab import binaries, image, images, supervisor
from tests.lab.binaries import binary
from tests.lab.layout import FRONT, REGISTRY, STATE
from tests.lab.processes import Process, http_ok

IMAGE = f"{REGISTRY}/team/medea:lab"
USER, PASSWORD = "puller", "let-me-pull"
_HASH = "$2b$04$eo0Jip4tBuUKLuSX9CrY3e4ClM3c89G6Q4DXaeUvkAInHueAOofh6"
"""Of the password, by bcrypt, for which Python has no function of its own."""
_FOLDER = STATE / "registry"
_NAME = "registry"


def build() -> None:
    """Build the program, unless it is in the cache."""
    binaries.build(_NAME)


def bring_up() -> None:
    """Start it, and push the image."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    process = _process()
    supervisor.start(process)
    supervisor.wait_ready(process)
    _push()


def take_down() -> None:
    """End it, and take from the front door's node what was pulled."""
    supervisor.kill(_NAME)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    forget()


def forget() -> None:
    """Have the front door's node pull the image again before another pod of it starts."""
    for name in images.present(FRONT):
        if name.startswith(REGISTRY):
            images.remove(FRONT, name)


def _process() -> Process:
    known, config = _FOLDER / "htpasswd", _FOLDER / "config.yaml"
    known.write_text(f"{USER}:{_HASH}\n")
    said = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(_FOLDER / "blobs")}},
        "http": {"addr": REGISTRY},
        "auth": {"htpasswd": {"realm": "laboratory", "path": str(known)}},
    }
    config.write_text(yaml.safe_dump(said))
    argv = [binary(_NAME), "serve", str(config)]
    return Process(_NAME, argv, http_ok(f"http://{REGISTRY}/"), env={"OTEL_TRACES_EXPORTER": "none"})


def _push() -> None:
    """Medea's image with another id than the one that every node has.

    A kubelet remembers by the id what was pulled with a password, and would start no more pods of the other.
    """
    archive = image.build(lambda _: None)
    with image.alone():
        container = image.buildah("from", f"docker-archive:{archive}").strip()
        image.buildah("config", f"--label=medea.dev/lab={IMAGE}", container)
        image.buildah("commit", "--quiet", "--disable-compression", "--format=docker", "--rm", container, IMAGE)
        who = ("--tls-verify=false", f"--creds={USER}:{PASSWORD}")
        image.buildah("push", "--quiet", *who, IMAGE, f"docker://{IMAGE}")
        image.buildah("rmi", IMAGE)
