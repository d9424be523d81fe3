"""The cgroup under which each cluster's kubelet keeps its pods: made, and emptied to the last process."""

import os
import signal
import time
from pathlib import Path

from tests.lab.layout import CLUSTERS, FRONT, Cluster

_ROOT = Path("/sys/fs/cgroup")
_WEIGHTS = {"cpu.shares": 6 * 1024, "cpu.weight": 6 * 100}
"""Of all pods of the front door together, in either version: six processes' worth. They would weigh as much as a single
process of the host otherwise, and Medea is among them."""


def set_up(cluster: Cluster) -> None:
    """Make the cgroup in every hierarchy of version 1, or in the one of version 2."""
    for hierarchy in _hierarchies():
        group = hierarchy / cluster.cgroup
        group.mkdir(exist_ok=True)
        # A new cpuset is empty, and no process may enter an empty one.
        for name in ("cpuset.cpus", "cpuset.mems"):
            own, above = group / name, hierarchy / name
            if own.exists() and above.exists() and not own.read_text().strip():
                own.write_text(above.read_text())
        for name, weight in _WEIGHTS.items():
            if cluster == FRONT and (group / name).exists():
                (group / name).write_text(str(weight))


def tear_down() -> None:
    """Kill every process under the clusters' cgroups and remove them."""
    roots = [hierarchy / cluster.cgroup for cluster in CLUSTERS for hierarchy in _hierarchies()]
    deadline = time.monotonic() + 20
    while (pids := _members(roots)) and time.monotonic() < deadline:
        for pid in pids:
            _kill(pid)
        time.sleep(0.1)
    for root in roots:
        for group in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
            _remove(group)
        _remove(root)


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    folders = (folder for folder in sorted(_ROOT.iterdir()) if not folder.is_symlink())
    return [folder for folder in folders if (folder / "cgroup.procs").exists()]


def _members(roots: list[Path]) -> set[int]:
    pids: set[int] = set()
    for root in roots:
        for listing in root.rglob("cgroup.procs"):
            try:
                pids.update(int(line) for line in listing.read_text().split())
            except OSError:
                continue
    return pids


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _remove(group: Path) -> None:
    for _ in range(20):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
