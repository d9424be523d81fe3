"""What the machine must have before the laboratory can be built, and the attempt to install what is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.progress import console

# Debian package -> a file that shows it is there.
PACKAGES: dict[str, str] = {
    "busybox-static": "/usr/share/doc/busybox-static/copyright",
    "containerd": "/usr/bin/containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iproute2": "/usr/share/doc/iproute2/copyright",
    # For what enforces NetworkPolicies.
    "ipset": "/usr/sbin/ipset",
    "iptables": "/usr/sbin/iptables",
    "prometheus": "/usr/bin/prometheus",
    "rabbitmq-server": "/usr/sbin/rabbitmq-server",
    "runc": "/usr/sbin/runc",
    # For the image of Medea itself.
    "buildah": "/usr/bin/buildah",
    "debootstrap": "/usr/sbin/debootstrap",
}
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# medea-lab: packages are installed for their programs, their services stay off\nexit 101\n"


def check_root() -> None:
    """Network bridges, mounts and cgroups need root."""
    if os.geteuid() != 0:
        raise LabError("the laboratory makes bridges, mounts and cgroups: run it as root")


def install_packages() -> None:
    """Install the Debian packages that are missing, without letting their services start."""
    wanted = [name for name, witness in PACKAGES.items() if not Path(witness).exists()]
    if not wanted:
        return
    if shutil.which("apt-get") is None:
        raise LabError(f"missing, and there is no apt-get to install them: {' '.join(wanted)}")
    console.print(f"installing {' '.join(wanted)}", highlight=False)
    with _services_kept_off():
        _apt("update", "-qq")
        _apt("-o", "DPkg::Lock::Timeout=300", "install", "-y", "-qq", "--no-install-recommends", *wanted)
    left = [name for name in wanted if not Path(PACKAGES[name]).exists()]
    if left:
        raise LabError(f"installed, but not where they are expected: {' '.join(left)}")


def _apt(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *words], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode != 0:
        raise LabError(f"apt-get {' '.join(words)} failed:\n{done.stderr.strip()}")


@contextmanager
def _services_kept_off() -> Iterator[None]:
    # Debian's packages start their services when installed; this file is Debian's own way to say no.
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text(POLICY_TEXT)
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours or POLICY.read_text() == POLICY_TEXT:
            POLICY.unlink(missing_ok=True)
