"""`python -m webhook` is `medea`."""

import os
import signal
from importlib import import_module


def main() -> None:
    """Entry point.

    The first process of a container hears no signal that it has no handler for, and to import all of Medea takes a busy
    node more than a minute. Whoever is told to end meanwhile has begun nothing; commands have handlers of their own.
    """
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    import_module("webhook.cli").main()


if __name__ == "__main__":
    main()
