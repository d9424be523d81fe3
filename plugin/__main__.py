"""`python -m plugin`: serve until told to stop."""

import logging
import os
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from plugin.app import create_app
from plugin.medea import THREADS, Medea
from plugin.settings import Settings, SettingsError


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up from here alone: it reads no file, no command line and no GUNICORN_CMD_ARGS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn before anything else."""
        options: dict[str, Any] = {
            # The agent shares the pod's loopback; nobody else has business here.
            "bind": f"127.0.0.1:{self._settings.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            # The worker is forked from a process that has imported everything: half the memory, and one start.
            # Nothing is connected before the fork; the pool opens its first connection with the first question.
            "preload_app": True,
            # The root file system is read-only, and this is the one place that every pod can write to.
            "worker_tmp_dir": "/dev/shm",
            "control_socket_disable": True,
            # Longer than the 90 s for which the agent's Go client keeps an idle connection, so that it closes first.
            "keepalive": 120,
            # A heartbeat and not a limit on requests: many of these start at once on a busy node.
            "timeout": 120,
            "graceful_timeout": 2,
            "proc_name": "medea-plugin",
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called by gunicorn for the WSGI application."""
        return create_app(self._settings, Medea(self._settings))


def main() -> None:
    """Serve, or say on one line what is wrong with the environment."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        sys.exit(f"medea plugin: {error}")
    Server(settings).run()


if __name__ == "__main__":
    main()
