"""A worker of a class as a process of its own, which can be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """`medea worker CLASS -- COMMAND`."""

    def __init__(self, name: str, command: Sequence[str], log: Path, settings: Mapping[str, str]) -> None:
        self._argv = [sys.executable, "-m", "webhook", "worker", name, "--", *command]
        self._log = log
        self._environment = {**os.environ, "MEDEA_WORKER_METRICS_PORT": "0", **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it takes jobs as soon as it can."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, env=self._environment, cwd=_ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9: what it runs is killed with it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Tell it to end, as a node that is drained; it has ended when this returns."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None
