"""What enforces NetworkPolicies at the front door: kube-router's firewall, as a process on the host.

It is built and started by the test that needs it. While it runs, it alone says what reaches the front door's pods and
where these reach: also this host and the other clusters, which the laboratory's own rules keep from them.
"""

import time
from pathlib import Path

from tests.lab import binaries, supervisor
from tests.lab.binaries import binary
from tests.lab.controlplane import MASTERS
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, SERVICE_RANGE, STATE
from tests.lab.processes import Process
from tests.lab.shell import run

NAME = "kube-router"
_IPSET = Path("/usr/sbin/ipset")
_CHAINS = ("KUBE-ROUTER-", "KUBE-POD-FW-", "KUBE-NWPLCY-")
_SETS = ("KUBE-SRC-", "KUBE-DST-")
_COMPLIES = "0x20000"
"""The mark of what complies with all policies. The rule about it is among the last that are written."""
_BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
"""Whether iptables sees what goes from one pod of a bridge to another."""
_BRIDGED_BEFORE = STATE / "bridge-nf-call-iptables"
_PATIENCE = 10


def build() -> None:
    """Build it, unless it is in the cache."""
    binaries.build(NAME)


def bring_up(lab: Lab) -> None:
    """Start it, and wait until all policies that there are count."""
    if not _BRIDGED.exists():
        raise LabError("policies between pods of one node need the kernel's module br_netfilter: modprobe br_netfilter")
    before = _BRIDGED.read_text()
    if before.strip() != "1":
        _BRIDGED_BEFORE.write_text(before)
        _BRIDGED.write_text("1")
    process = _process(lab)
    supervisor.start(process)
    supervisor.wait_ready(process)


def take_down() -> None:
    """End it, and remove all that it has made."""
    supervisor.kill(NAME)
    remove_rules()


def remove_rules() -> None:
    """Remove every chain and set that it has made; it must not run any more."""
    if _BRIDGED_BEFORE.exists():
        _BRIDGED.write_text(_BRIDGED_BEFORE.read_text())
        _BRIDGED_BEFORE.unlink()
    if not _IPSET.exists():
        # Then it has never run here.
        return
    if undoing := without(_table()):
        run(["iptables-restore", "--noflush", "--wait=10"], input=undoing)
    for name in _sets():
        _destroy(name)


def left() -> list[str]:
    """What there is of it: rules, chains and sets."""
    return [line for line in _table().splitlines() if any(chain in line for chain in _CHAINS)] + _sets()


def without(saved: str) -> str:
    """What `iptables-restore --noflush` has to read for its chains to go from a table; empty if there are none.

    All of it happens at once, and what others write meanwhile stays.
    """
    lines = saved.splitlines()
    chains = [line[1:].split()[0] for line in lines if line.startswith(":") and _is_its(line[1:])]
    if not chains:
        return ""
    jumps = [line for line in lines if line.startswith("-A ") and not _is_its(line[3:]) and _is_its(_target(line))]
    emptied = [f":{chain} - [0:0]" for chain in chains]
    deleted = [f"-D {jump[3:]}" for jump in jumps] + [f"-X {chain}" for chain in chains]
    return "\n".join(["*filter", *emptied, *deleted, "COMMIT", ""])


def _target(rule: str) -> str:
    return rule.rpartition(" -j ")[2]


def _is_its(chain: str) -> bool:
    return chain.startswith(_CHAINS)


def _process(lab: Lab) -> Process:
    argv = [
        binary(NAME),
        f"--kubeconfig={lab.identity(FRONT.name, 'system:kube-router', MASTERS)}",
        f"--node={FRONT.name}",
        f"--services={SERVICE_RANGE}",
    ]
    return Process(NAME, argv, _is_complete)


def _is_complete() -> bool:
    return _COMPLIES in run(["iptables", "-w", "10", "-S", "KUBE-ROUTER-FORWARD"], check=False)


def _table() -> str:
    return run(["iptables-save", "-t", "filter"])


def _sets() -> list[str]:
    return [name for name in run([_IPSET, "list", "-name"], check=False).split() if name.startswith(_SETS)]


def _destroy(name: str) -> None:
    # The kernel lets go of a set a moment after the rule that named it.
    deadline = time.monotonic() + _PATIENCE
    while name in _sets():
        try:
            run([_IPSET, "destroy", name])
        except LabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
