"""`python -m plugin`: serve until told to stop."""

import os
import signal
from importlib import import_module

if __name__ == "__main__":
    # The first process of a container hears no signal that it has no handler for, and to import gunicorn takes a busy
    # node many seconds. gunicorn has a handler of its own.
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    import_module("plugin.server").serve()
