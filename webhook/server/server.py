"""Runs one door: gunicorn with one worker of many threads, configured by its documented settings only."""

import logging
import resource
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication

from webhook.certificates.delivery import Delivery
from webhook.logs.endpoint import BrokeOff
from webhook.model.limits.server import (
    SERVER_CONNECTIONS,
    SERVER_GRACE,
    SERVER_KEEP_ALIVE,
    SERVER_REQUEST_LINE,
    SERVER_SPARE_FILES,
)
from webhook.server.health import start_health_server
from webhook.server.tls import Tls
from webhook.settings import Settings
from webhook.telemetry import logging_config
from webhook.wiring.certificates import make_delivery
from webhook.wiring.doors import Background

log = structlog.get_logger(__name__)
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Served:
    """What a door's process does: its WSGI application, and its work in the background."""

    app: Application
    background: Background


@dataclass(frozen=True)
class Door:
    """One door. `make` is called in the process that serves it; without `tls` it speaks plain HTTP."""

    name: str
    addresses: tuple[str, ...]
    """`host:port` each."""
    metrics_port: int
    threads: int
    tls: Tls | None
    make: Callable[[], Served]


class Server(BaseApplication):  # type: ignore[misc]
    """The gunicorn of one door. What it serves is made in the worker: threads don't survive a fork."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self._settings, self._door = settings, door
        self._background: Background | None = None
        super().__init__()

    def run(self) -> None:
        """Serve until told to end. Raises MedeaError if the certificate is missing."""
        before_listening(self._settings, self._door)
        if self._door.tls:
            self._door.tls.check()
        super().run()

    def load_config(self) -> None:
        """Configure gunicorn; called by gunicorn."""
        options: dict[str, Any] = {
            "bind": list(self._door.addresses),
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._door.threads,
            "worker_connections": most_connections(),
            "keepalive": SERVER_KEEP_ALIVE,
            "limit_request_line": SERVER_REQUEST_LINE,
            "graceful_timeout": SERVER_GRACE,
            "post_worker_init": self._unready_when_told_to_end,
            "worker_tmp_dir": "/dev/shm",
            "control_socket_disable": True,
            "proc_name": f"medea-{self._door.name}",
            "logconfig_dict": server_logging(),
        }
        tls = self._door.tls
        if tls:
            options |= {
                "certfile": str(tls.certificate),
                "keyfile": str(tls.key),
                "do_handshake_on_connect": True,
                "ssl_context": lambda _config, _default: tls.context(),
            }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """Start the background work and return the application; called by gunicorn in the worker."""
        served = self._door.make()
        self._background = served.background
        start_in_background(self._settings, self._door)
        served.background.start()
        start_health_server(self._settings.medea_bind, self._door.metrics_port, unready=served.background.unready)
        return served.app

    def _unready_when_told_to_end(self, _: Any) -> None:
        """Become unready on SIGTERM; called by gunicorn in the worker. New clients then go to another replica."""
        finish: Any = signal.getsignal(signal.SIGTERM)

        def end(number: int, frame: FrameType | None) -> None:
            if self._background:
                self._background.stop()
            finish(number, frame)

        signal.signal(signal.SIGTERM, end)


def before_listening(settings: Settings, door: Door) -> None:
    """Wait for the door's certificate, before it opens its ports. Leaves no thread behind: the process forks then."""
    delivery = _delivery(settings, door)
    if delivery:
        delivery.wait_for_first()


def start_in_background(settings: Settings, door: Door) -> None:
    """Start to follow the door's certificate."""
    delivery = _delivery(settings, door)
    if delivery:
        delivery.start()


def _delivery(settings: Settings, door: Door) -> Delivery | None:
    shows_it = door.tls is not None and door.tls.folder == settings.medea_certs
    return make_delivery(settings) if shows_it else None


def server_logging() -> dict[str, Any]:
    """Logging for gunicorn's setting `logconfig_dict`: its lines go to Medea's log. It writes no access log."""
    config = logging_config()
    config["filters"] = {"silence": {"()": _SilenceIsNoError}}
    config["loggers"] |= {
        "gunicorn.error": {"propagate": True, "filters": ["silence"]},
        "gunicorn.access": {"propagate": False},
    }
    return config


class _SilenceIsNoError(logging.Filter):
    """A client that falls silent makes one line, without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], BrokeOff):
            # Already logged where it was raised.
            return False
        if record.exc_info and isinstance(record.exc_info[1], TimeoutError | ConnectionError):
            record.msg, record.args, record.exc_info = "a client fell silent", (), None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


def most_connections() -> int:
    """As many connections as wanted, if the limit on open files allows it; that limit is raised as far as possible.

    A connection beyond that limit would not just be refused but end the process.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SERVER_CONNECTIONS + SERVER_SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(limit - SERVER_SPARE_FILES, limit // 2)
