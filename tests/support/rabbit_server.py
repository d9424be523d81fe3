"""A real RabbitMQ for tests, with a folder, ports and an Erlang port mapper of its own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import prerequisites
from tests.support.ports import free_port
from webhook.doors.broker import Address

USER, PASSWORD = "guest", "guest"
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
_PATIENCE = 120.0


class RabbitServer:
    """One server. It can be killed and started again, at the same address and with what it had on disk."""

    def __init__(self, root: Path, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.root, self.host = root, host
        self.port = port or free_port(host)
        self._mapper_port, self._peers_port = free_port("127.0.0.1"), free_port("127.0.0.1")
        self._mapper: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        root.mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> Address:
        """How Medea reaches it."""
        return Address(self.host, self.port, USER, PASSWORD)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.root / "log").open("ab") as out:
            if self._mapper is None:
                mapper = ["epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"]
                self._mapper = subprocess.Popen(mapper, stdout=out, stderr=out)
            # Erlang starts helpers, which end with their group.
            self._process = subprocess.Popen(
                [str(_PROGRAMS / "rabbitmq-server")],
                # Where it leaves what it wants to say of a crash.
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until = time.monotonic() + _PATIENCE
        while not _speaks(self.host, self.port):
            assert self._process.poll() is None, (self.root / "log").read_text()[-2000:]
            assert time.monotonic() < until, "RabbitMQ does not listen"
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill it at once, as a machine that fails."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def write_queues_down(self) -> None:
        """Have it on disk which queues there are.

        It says that a queue is there a moment before that: killed then, it forgets the queue and what was confirmed in
        it (seen in 1 of 14 kills on a busy machine, RabbitMQ 3.10).
        """
        order = [str(_PROGRAMS / "rabbitmqctl"), "eval", "ok = mnesia:sync_log()."]
        subprocess.run(order, env=self._environment(), check=True, capture_output=True, timeout=_PATIENCE)

    def lose(self) -> None:
        """Kill it, and start it without what it had on disk, as a machine that is replaced."""
        self.kill()
        shutil.rmtree(self.root / "data", ignore_errors=True)
        self.start()

    def stop(self) -> None:
        """Kill all that was started."""
        self.kill()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait(30)
            self._mapper = None

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            # The cookie is made there.
            "HOME": str(self.root),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"medea-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.host,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._peers_port),
            "RABBITMQ_MNESIA_BASE": str(self.root / "data"),
            "RABBITMQ_LOG_BASE": str(self.root / "logs"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self._configuration()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.root / "plugins"),
            # The server itself is what is started then, without a shell around it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 2:2",
        }

    def _configuration(self) -> Path:
        # Tests reach it on a bridge, too, and `guest` is let in from there.
        path = self.root / "rabbitmq.conf"
        path.write_text("loopback_users = none\n")
        return path


@contextmanager
def rabbit_server(root: Path, host: str = "127.0.0.1", port: int | None = None) -> Iterator[RabbitServer]:
    """A server that runs, and is gone afterwards with all that it stored."""
    prerequisites.install_packages()
    server = RabbitServer(root, host, port)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


def _speaks(host: str, port: int) -> bool:
    """Whether a broker answers there: it greets whoever says which protocol they speak."""
    try:
        with socket.create_connection((host, port), 1) as probe:
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(probe.recv(1))
    except OSError:
        return False
