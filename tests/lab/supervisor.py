"""Starting, killing and waiting for the laboratory's processes.

A process is known by its pid *and* its start time, so a number that was given to somebody else since is never touched.
Everything started here also carries a mark in its environment, which its children inherit: that finds what was started
by a run that was killed before it could write the pid down. The mark names the network too: whoever has a network of
its own may have a laboratory of its own, whose processes can be seen from outside.
"""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.layout import LOGS, PIDS
from tests.lab.processes import Process

MARK = "MEDEA_LAB_PROCESS"
_TAIL_LINES = 25
_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""Most of the laboratory is written in Go. It has few cores and much memory: garbage is collected a fourth as often,
until a process has a GiB."""
_DYING = 10.0
"""Seconds within which a busy machine has ended what got a SIGKILL."""


def start(process: Process) -> bool:
    """Start the process unless it runs already just as declared; says whether it was started now."""
    if alive(process.name):
        if _kept(process.name).get("declared") == process.declared:
            return False
        kill(process.name)
    for folder in (LOGS, PIDS):
        folder.mkdir(parents=True, exist_ok=True)
    # One left over from a killed `up` would hold the port. Only the program itself: containerd's shims carry the same
    # mark, and their pods must outlive it.
    kill_marked(process.name, program=process.argv[0])
    if process.pid_file:
        process.pid_file.unlink(missing_ok=True)
    uid_gid = pwd.getpwnam(process.user)[2:4] if process.user else (None, None)
    # A fresh log for every start: what is read from it is about this one.
    if process.log.exists():
        process.log.rename(process.log.with_suffix(".log.before"))
    with process.log.open("ab") as log:
        started = subprocess.Popen(
            list(process.argv),
            env=environment(process.name, process.env),
            cwd=process.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=uid_gid[0],
            group=uid_gid[1],
            extra_groups=[] if process.user else None,
        )
    _remember(process, started.pid)
    # It outlives us on purpose: without this, Python would warn of a child that nobody waited for.
    started.returncode = 0
    return True


def wait_ready(process: Process) -> None:
    """Wait until the process says it is ready; on failure the error carries the end of its log."""
    deadline = time.monotonic() + process.deadline
    while time.monotonic() < deadline:
        if not alive(process.name):
            raise LabError(f"{process.name} ended while starting; the end of {process.log}:\n{tail(process.log)}")
        if process.ready():
            return
        time.sleep(0.1)
    raise LabError(
        f"{process.name} was not ready within {process.deadline:.0f} s; the end of {process.log}:\n{tail(process.log)}"
    )


def alive(name: str) -> bool:
    """Whether the process that was started under this name still runs."""
    return pid_of(name) is not None


def pid_of(name: str) -> int | None:
    """The process's pid, if it is still the one that was started."""
    kept = _kept(name)
    if not kept:
        return None
    pid = int(kept["pid"])
    return pid if kept["started"] and _started_at(pid) == kept["started"] else None


def kill(name: str) -> bool:
    """SIGKILL the process and its whole group; says whether there was anything to kill."""
    pid = pid_of(name)
    if pid is not None:
        _kill_group(pid)
    (PIDS / f"{name}.json").unlink(missing_ok=True)
    return pid is not None


def kill_marked(name: str | None = None, program: str | None = None) -> int:
    """SIGKILL everything that carries the laboratory's mark (of one name or program, or any); returns how many.

    They are gone then, as far as the kernel had the time: one that still dies may hold a port.
    """
    doomed = [pid for pid in marked(name) if program is None or _program_of(pid) == program]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _DYING
    while time.monotonic() < deadline and any(map(_lives, doomed)):
        for pid in doomed:
            _reap(pid)
        time.sleep(0.02)
    return len(doomed)


def _lives(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def marked(name: str | None = None) -> list[int]:
    """The pids of every process on this machine that carries the mark."""
    wanted = f"{MARK}={_mark(name or '')}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(line == wanted if name else _is_here(line, wanted) for line in variables):
            found.append(int(folder.name))
    return found


def _mark(name: str) -> str:
    return f"{name}@{os.readlink('/proc/self/ns/net')}"


def _is_here(line: bytes, wanted: bytes) -> bool:
    prefix, _, network = wanted.partition(b"@")
    return line.startswith(prefix) and line.endswith(b"@" + network)


def _program_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(there is no log)"


def environment(name: str, declared: Mapping[str, str]) -> dict[str, str]:
    """What a process of this name has in its environment: what is declared, little of its caller's, and the mark.

    A test that starts one itself gives it this: should the test be killed, it goes with the laboratory.
    """
    # The caller's ARGO_SERVER, KUBECONFIG and such must not change what the laboratory's processes do.
    kept = {one: os.environ[one] for one in ("PATH", "HOME", "LANG", "TZ") if one in os.environ}
    return {**_MEMORY, **kept, **declared, MARK: _mark(name)}


def _remember(process: Process, pid: int) -> None:
    fresh = PIDS / f".{process.name}.fresh"
    fresh.write_text(json.dumps({"pid": pid, "started": _started_at(pid), "declared": process.declared}))
    fresh.rename(PIDS / f"{process.name}.json")


def _kept(name: str) -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads((PIDS / f"{name}.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _started_at(pid: int) -> str | None:
    """The kernel's start time of a process, with the boot it belongs to; None when it is gone or a zombie."""
    fields = _stat(pid)
    if not fields or fields[0] == "Z":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{fields[19]} {boot}"


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on; empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    # The name in parentheses may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def _kill_group(pid: int) -> None:
    """SIGKILL a process group and wait until its last member is gone: a Postgres child may hold shared memory."""
    deadline = time.monotonic() + _DYING
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        if not _group_lives(pid):
            # Whoever asks whether this pid is in use, as Postgres does, must not find what is left of it.
            _reap(pid)
            return
        time.sleep(0.02)


def _group_lives(group: int) -> bool:
    # A zombie is gone for every purpose; how soon somebody collects it is not ours to wait for.
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            pid = int(folder.name)
            if _lives(pid) and _stat(pid)[2:3] == [str(group)]:
                return True
    return False


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
