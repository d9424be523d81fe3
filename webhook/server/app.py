"""The service process: Flask under gunicorn, one worker with many threads.

The TLS port serves everything but logs, which have a port of their own for the apiserver. The balancer's and the
scout's ports are plain HTTP, as in the original Medea.
"""

import logging
import resource
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from prometheus_client import start_http_server

from webhook.admission.wire import deadline_of, decode
from webhook.api.http import body, install_errors
from webhook.api.routes import SPEC, blueprint
from webhook.errors import Unavailable
from webhook.kube.threads import dead_threads
from webhook.logs.endpoint import BrokeOff, create_log_app
from webhook.model.limits import LARGEST_BODY, SERVER_CONNECTIONS, SERVER_GRACE, SERVER_KEEP_ALIVE, SERVER_SPARE_FILES
from webhook.server.sockets import Application, by_port, known_clients_only, tls_only_on
from webhook.server.worker import Worker
from webhook.settings import Settings
from webhook.wiring import Service, make_service

log = structlog.get_logger(__name__)


def create_app(service: Service) -> Flask:
    """The WSGI application for a service."""
    app = Flask("medea")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    install_errors(app)
    app.register_blueprint(blueprint(service.api))
    SPEC.register(app)

    @app.post("/mutate")
    def mutate() -> Response:
        deadline = deadline_of(request.args.get("timeout"))
        return jsonify(service.admission.review(decode(body()), deadline))

    @app.get("/healthz")
    def healthz() -> Response:
        dead = dead_threads()
        if dead:
            raise Unavailable(f"threads have ended that should not: {', '.join(dead)}; the log has the details")
        return jsonify({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> Response:
        reason = service.unready()
        if reason:
            raise Unavailable(reason)
        return jsonify({"status": "ready"})

    return app


class ServerLog(Logger):  # type: ignore[misc]
    """Sends gunicorn's log lines to Medea's log; a client that falls silent makes one line without a traceback."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn when it starts."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_silence_is_no_error)


def _silence_is_no_error(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], BrokeOff):
        # Already logged where it was raised.
        return False
    if record.exc_info and isinstance(record.exc_info[1], TimeoutError | ConnectionError):
        record.msg, record.args, record.exc_info = "a client fell silent", (), None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from the settings. The service is made in the worker: threads don't survive a fork."""

    def __init__(self, settings: Settings, make: Callable[[Settings], Service] = make_service) -> None:
        self._settings, self._make = settings, make
        self._service: Service | None = None
        super().__init__()

    def load_config(self) -> None:
        """Configure gunicorn; called by gunicorn."""
        settings = self._settings
        ports = [settings.medea_webhook_port, settings.medea_balancer_port, settings.medea_scout_port]
        threads, guarded = settings.medea_threads, {}
        if settings.medea_logs_certs:
            ports.append(settings.medea_logs_port)
            # The pool is shared, so one thread for each possible reader is added: readers must not delay reviews.
            threads += settings.medea_logs_streams
            guarded[settings.medea_logs_port] = known_clients_only(settings.medea_logs_certs)
        options = {
            "bind": [f"{settings.medea_bind}:{port}" for port in ports],
            "worker_class": Worker,
            "workers": 1,
            "threads": threads,
            "worker_connections": most_connections(),
            "keepalive": SERVER_KEEP_ALIVE,
            "graceful_timeout": SERVER_GRACE,
            "post_worker_init": self._unready_when_told_to_end,
            "certfile": str(settings.medea_certs / "tls.crt"),
            "keyfile": str(settings.medea_certs / "tls.key"),
            # During the wrapping: a later `do_handshake` would fail on plain connections.
            "do_handshake_on_connect": True,
            "ssl_context": tls_only_on(settings.medea_webhook_port, guarded),
            "worker_tmp_dir": "/dev/shm",
            "control_socket_disable": True,
            "proc_name": "medea",
            "logger_class": ServerLog,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """Start the service and return its application; called by gunicorn in the worker."""
        service = self._service = self._make(self._settings)
        service.start()
        start_http_server(self._settings.medea_metrics_port, addr=self._settings.medea_bind)
        others = {self._settings.medea_logs_port: create_log_app(service.logs)} if service.logs else {}
        return by_port(create_app(service), others)

    def _unready_when_told_to_end(self, worker: Any) -> None:
        """Become unready on SIGTERM; called by gunicorn in the worker. New clients then go to another replica."""

        def end(number: int, frame: FrameType | None) -> None:
            if self._service:
                self._service.stop()
            worker.handle_exit(number, frame)

        signal.signal(signal.SIGTERM, end)


def most_connections() -> int:
    """As many connections as wanted, if the limit on open files allows it; that limit is raised as far as possible.

    A connection beyond that limit would not just be refused but end the process.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SERVER_CONNECTIONS + SERVER_SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(limit - SERVER_SPARE_FILES, limit // 2)
