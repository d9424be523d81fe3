"""The server: gunicorn with one worker, until it is told to stop."""

import logging
import os
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from plugin.app import create_app
from plugin.medea import THREADS, Medea
from plugin.settings import Settings, SettingsError


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, configured only here: it reads no configuration file, command line or GUNICORN_CMD_ARGS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Configure gunicorn; called by gunicorn."""
        options: dict[str, Any] = {
            # Only the agent, which shares the pod's loopback interface, needs access.
            "bind": f"127.0.0.1:{self._settings.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            # Import everything once, before the worker is forked: half the memory, and a faster start. This is safe,
            # since the pool opens its first connection with the first call.
            "preload_app": True,
            # The root file system is read-only; every pod can write here.
            "worker_tmp_dir": "/dev/shm",
            "control_socket_disable": True,
            # Longer than the 90 s for which the agent's Go client keeps idle connections, so that it closes them first.
            "keepalive": 120,
            # For the worker's heartbeat, not for requests. Long, since many plugins may start at once on a busy node.
            "timeout": 120,
            "graceful_timeout": 2,
            "proc_name": "medea-plugin",
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application; called by gunicorn."""
        return create_app(self._settings, Medea(self._settings))


def serve() -> None:
    """Serve, or report on one line what is wrong with the environment."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        sys.exit(f"medea plugin: {error}")
    Server(settings).run()
