"""A real S3 server for tests: rclone, which serves a folder."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import binaries
from tests.support.ports import free_port
from webhook.doors.store import Access

BUCKET = "jobs"
ACCESS_KEY, SECRET_KEY = "medea", "not-a-secret"
_PATIENCE = 60.0


class S3Server:
    """One server; its bucket is a folder in `root`. It can be killed and started again, at the same address."""

    def __init__(self, root: Path, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.root, self._host = root, host
        self.port = port or free_port(host)
        self._process: subprocess.Popen[bytes] | None = None
        (root / BUCKET).mkdir(parents=True, exist_ok=True)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{self._host}:{self.port}"

    @property
    def access(self) -> Access:
        """How Medea reaches it."""
        return Access(self.endpoint, BUCKET, "us-east-1", ACCESS_KEY, SECRET_KEY)

    @property
    def files(self) -> list[str]:
        """What is in its folder, unfinished objects too."""
        bucket = self.root / BUCKET
        return sorted(str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file())

    @property
    def keys(self) -> list[str]:
        """What is stored."""
        return [name for name in self.files if ".rclone_temp" not in name]

    def start(self) -> None:
        """Start it, and wait until it listens."""
        binaries.build("rclone")
        with (self.root / "log").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *(binaries.binary("rclone"), "serve", "s3", "--addr", f"{self._host}:{self.port}"),
                    *("--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off"),
                    *("--config", "/dev/null", str(self.root)),
                ],
                stdout=out,
                stderr=out,
            )
        until = time.monotonic() + _PATIENCE
        while not _listens(self._host, self.port):
            assert self._process.poll() is None, (self.root / "log").read_text()[-2000:]
            assert time.monotonic() < until, "rclone does not listen"
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it at once, as a machine that fails."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None


@contextmanager
def s3_server(root: Path, host: str = "127.0.0.1", port: int | None = None) -> Iterator[S3Server]:
    """A server that runs, and is gone afterwards with all that it stored."""
    server = S3Server(root, host, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(root, ignore_errors=True)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
