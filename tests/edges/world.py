"""Edges as real processes, reached over TLS, and Medea in this process over a front door in memory."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.end_to_end.waiting import eventually
from tests.faults.argo import FrontArgo
from tests.faults.ledger import LedgerServer
from tests.faults.processes import SPACE
from tests.splitting.fanouts import leaf
from tests.splitting.world import SplitWorld
from tests.support.ports import free_port
from webhook.edges.join import register
from webhook.kube import client
from webhook.kube.resources import SECRETS, WORKFLOWS
from webhook.model.contract import SPLIT
from webhook.scout.model import Snapshot
from webhook.totals.model import GIB, NOTHING, Totals

Object = dict[str, Any]
_ROOT = Path(__file__).parents[2]
_SPEED = 20
CORES = 4


class EdgeProcess:
    """`medea edges`: some edges as one process, which can be killed and started again."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        self.name, self.count, self._folder = name, count, folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = ["edges", "--name", self.name, "--count", str(self.count), "--namespace", "bare"]
        words += ["--port", str(self.port), "--data", str(self._folder), "--cores", str(CORES)]
        words += ["--longest-watch", "0.05", "--speed", str(_SPEED), "--kubeconfigs", str(self._folder / "kubeconfigs")]
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "webhook", *words], cwd=_ROOT, env=os.environ, stdout=log, stderr=log
            )
        eventually(self._listens, f"{self.name} listens", within=120)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def kubeconfigs(self) -> dict[str, Object]:
        """How each edge is reached."""
        names = [self.name] if self.count == 1 else [f"{self.name}-{number}" for number in range(self.count)]
        return {name: json.loads((self._folder / "kubeconfigs" / name).read_text()) for name in names}

    def carried_out(self) -> Counter[str]:
        """How often each item was carried out on its edges."""
        file = self._folder / self.name / "edges.db"
        if not file.exists():
            return Counter()
        with contextlib.closing(sqlite3.connect(file)) as connection:
            return Counter(item for (item,) in connection.execute("SELECT item FROM carried_out"))

    def _listens(self) -> bool:
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", self.port)) == 0


class EdgesWorld(SplitWorld):
    """Medea, and edges instead of the targets in memory. `wait` is time for Medea; edges have the real one."""

    def __init__(self, ledger: LedgerServer, processes: list[EdgeProcess]) -> None:
        super().__init__(ledger)
        self.processes = processes
        self._argos = [FrontArgo(self.front, "plug")]
        self._joined: set[str] = set()

    @contextlib.contextmanager
    def alive(self) -> Iterator["EdgesWorld"]:
        """Everything set up, with no target yet."""
        with super().alive():
            for name in ("west", "east"):
                self.front.remove(SECRETS, SPACE, name)
            yield self

    def join(self, process: EdgeProcess) -> None:
        """Its edges become targets."""
        for name, config in process.kubeconfigs().items():
            register(self.service.front, SPACE, name, config)
            self._joined.add(name)

    def fan_out(self, name: str, items: int, split: str) -> None:
        """A person submits work of so many items, each of which is called after it."""
        listed = [f"{name}-{number}" for number in range(items)]
        power = {"name": "power", "value": "40"}
        step = {"name": "work", "template": "one", "withItems": listed, "arguments": {"parameters": [power]}}
        spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": [[step]]}, leaf()]}
        body = {"metadata": {"name": name, "annotations": {SPLIT: split}}, "spec": spec}
        self._person.create(WORKFLOWS, "bare", body)

    def carried_out(self) -> Counter[str]:
        """How often each item was carried out, over all edges and all time."""
        return sum((one.carried_out() for one in self.processes), Counter())

    def _everybody(self) -> None:
        for controller in list(self.controllers.values()):
            self._run(controller.name, controller.watch)
        super()._everybody()

    def _put_secret(self, name: str, *, server: str | None = None) -> None:
        if name not in ("west", "east"):
            super()._put_secret(name, server=server)

    def _target_client(self, name: str, configuration: Any, **named: Any) -> client.Cluster:
        configuration.refresh_api_key_hook = None
        return client.Cluster(name, configuration, **{**named, "clock": self.clock.monotonic})

    def _quotas(self) -> dict[tuple[str, str], Snapshot]:
        hard, now = Totals(CORES * 1000, 64 * GIB), self.clock.true_time()
        return {(name, "bare"): Snapshot(name, "bare", now, hard, NOTHING) for name in self._joined}
