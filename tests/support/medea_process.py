"""A door of Medea's as a process of its own, over a front door in memory."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.end_to_end.waiting import eventually
from tests.lab.processes import http_ok
from tests.support.fake_apiserver import FakeApiserver

_ROOT = Path(__file__).parents[2]


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: the door goes in the middle of its watches."""


@contextmanager
def served(fake: FakeApiserver) -> Iterator[str]:
    """The URL of an apiserver in memory."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(size) if size else None
            if "watch=true" in self.path:
                # A watch in memory ends with what there is.
                time.sleep(0.5)
            answer = fake.request(self.command, f"http://front{self.path}", body=sent, headers=dict(self.headers))
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

        def log_message(self, *words: object) -> None:
            """Nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class MedeaProcess:
    """`medea serve DOOR`, open. It can be killed and started again; its ledger is Medea's embedded Postgres."""

    def __init__(self, door: str, folder: Path, front: str, *, metrics_port: int, settings: Mapping[str, str]) -> None:
        self._door, self._folder, self._metrics_port = door, folder, metrics_port
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            "{apiVersion: v1, kind: Config, current-context: a, "
            f"clusters: [{{name: a, cluster: {{server: '{front}'}}}}], "
            "users: [{name: a, user: {token: a}}], contexts: [{name: a, context: {cluster: a, user: a}}]}"
        )
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "MEDEA_API": "open",
            "MEDEA_DATA": str(folder / "data"),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, "-m", "webhook", "serve", self._door]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, cwd=_ROOT, stdout=log, stderr=log)
        eventually(http_ok(f"http://127.0.0.1:{self._metrics_port}/readyz"), self._said, within=120)

    def kill(self) -> None:
        """kill -9 of both of its processes."""
        assert self._process is not None
        for pid in (self._process.pid, self.worker):
            os.kill(pid, signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        eventually(lambda: not http_ok(f"http://127.0.0.1:{self._metrics_port}/healthz")(), "its ports are free")

    def stop(self) -> None:
        """End it, if it runs, and its Postgres, which it leaves to others."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
        postmaster = self._folder / "data" / "postgres" / "postmaster.pid"
        if postmaster.exists():
            # Its fast way to end.
            os.kill(int(postmaster.read_text().split()[0]), signal.SIGINT)
            eventually(lambda: not postmaster.exists(), "its Postgres has ended")

    @property
    def worker(self) -> int:
        """The pid of the process that serves."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return next(int(pid) for pid in children if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes())

    @property
    def most_memory(self) -> int:
        """MiB that the process that serves has had at most."""
        status = Path(f"/proc/{self.worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024

    def _said(self) -> str:
        return "the door is ready: " + (self._folder / "log").read_text()[-2000:]
