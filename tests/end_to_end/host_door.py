"""One of Medea's doors as a process of its own on this host, open, which can be killed and started again."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.end_to_end.commands import kubectl
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import medea, supervisor
from tests.lab.lab import Lab
from tests.lab.layout import LOGS
from tests.lab.processes import http_ok


@dataclass
class HostDoor:
    """`medea serve DOOR`, whose log has this `name`; `settings` are those that differ from the laboratory's Medea."""

    name: str
    door: str
    metrics_port: int
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        declared = next(one for one in medea.processes(Lab()) if one.name == "webhook")
        environment = supervisor.environment(self.name, {**declared.env, "MEDEA_API": "open", **self.settings})
        with (LOGS / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*declared.argv, self.door], env=environment, cwd=declared.cwd, stdout=log, stderr=log
            )
        eventually(http_ok(f"http://127.0.0.1:{self.metrics_port}/readyz"), f"{self.name} is ready")

    def kill(self) -> None:
        """kill -9 of the process that serves, and of the one that watches it."""
        assert self.process is not None
        for pid in (self.process.pid, *self._children()):
            os.kill(pid, 9)
        self.process.wait(30)
        eventually(lambda: not http_ok(f"http://127.0.0.1:{self.metrics_port}/healthz")(), "its port is free")

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs, which may kill it and start it again; at its end it ends as it should."""
        try:
            self.start()
            yield
        finally:
            assert self.process is not None
            self.process.terminate()
            assert self.process.wait(60) == 0

    def memory(self) -> int:
        """MiB that the process that serves has had at most."""
        [child, *_] = self._children()
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

    def _children(self) -> list[int]:
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]


@contextmanager
def rights(file: Path, of_jobs: str, workspace: Workspace) -> Iterator[None]:
    """The account of a door with its rights, which the chart would bring: others look for what is left of a chart.

    `of_jobs` is what `file` calls the namespace of its jobs.
    """
    text = file.read_text().replace(of_jobs, workspace.name)
    kubectl("front", "apply", "-f", "-", stdin=text).ok()
    try:
        yield
    finally:
        kubectl("front", "delete", "--ignore-not-found", "-f", "-", stdin=text).ok()
