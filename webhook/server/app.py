"""The service process: Flask under gunicorn, one worker with many threads.

One port speaks TLS and serves everything but logs; those have one of their own, for the apiserver alone. The
balancer's and the scout's are plain HTTP, as they were in the original Medea.
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
from webhook.api.http import LARGEST_BODY, body, install_errors
from webhook.api.routes import SPEC, blueprint
from webhook.errors import Unavailable
from webhook.logs.endpoint import BrokeOff, create_log_app
from webhook.model.limits import SERVER_CONNECTIONS, SERVER_GRACE, SERVER_KEEP_ALIVE, SERVER_SPARE_FILES
from webhook.server.sockets import Application, by_port, known_clients_only, tls_only_on
from webhook.server.worker import Worker
from webhook.settings import Settings
from webhook.threads import dead_threads
from webhook.wiring import Service, make_service

log = structlog.get_logger(__name__)


def create_app(service: Service) -> Flask:
    """The WSGI application over a service."""
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
    """gunicorn's lines through Medea's own log; a client that fell silent is one line in it, and no error."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn when it starts."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_silence_is_no_error)


def _silence_is_no_error(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], BrokeOff):
        # Whoever raised it has said why.
        return False
    if record.exc_info and isinstance(record.exc_info[1], TimeoutError | ConnectionError):
        record.msg, record.args, record.exc_info = "a client fell silent", (), None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from the settings. The service is made in the worker: nothing of it survives a fork."""

    def __init__(self, settings: Settings, make: Callable[[Settings], Service] = make_service) -> None:
        self._settings, self._make = settings, make
        self._service: Service | None = None
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it has to know."""
        settings = self._settings
        ports = [settings.medea_webhook_port, settings.medea_balancer_port, settings.medea_scout_port]
        threads, guarded = settings.medea_threads, {}
        if settings.medea_logs_certs:
            ports.append(settings.medea_logs_port)
            # Threads of their own, as it were: readers of logs must not keep a review waiting.
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
            # In one go with the wrapping: a plain connection has no handshake to do afterwards.
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
        """Called in the worker."""
        service = self._service = self._make(self._settings)
        service.start()
        start_http_server(self._settings.medea_metrics_port, addr=self._settings.medea_bind)
        others = {self._settings.medea_logs_port: create_log_app(service.logs)} if service.logs else {}
        return by_port(create_app(service), others)

    def _unready_when_told_to_end(self, worker: Any) -> None:
        """Called by gunicorn in the worker. What still asks while requests end must see that it is to go elsewhere."""

        def end(number: int, frame: FrameType | None) -> None:
            if self._service:
                self._service.stop()
            worker.handle_exit(number, frame)

        signal.signal(signal.SIGTERM, end)


def most_connections() -> int:
    """As many as are wanted and the system's limit on open files allows, which is raised as far as it may be.

    A connection too many would end the process, and not only be refused.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SERVER_CONNECTIONS + SERVER_SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(limit - SERVER_SPARE_FILES, limit // 2)
