"""`python -m tests.server.below NAME=KIND…`: a supervisor of programs that only print their name and pid, and wait."""

import functools
import os
import signal
import sys
import threading

from webhook.errors import MedeaError
from webhook.server.supervisor import supervise

WILLING, STUBBORN, UNABLE = "willing", "stubborn", "unable"


def wait(name: str, kind: str) -> None:
    """Wait for a signal; a stubborn one goes on waiting then, and one that is unable ends at once."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None if kind == STUBBORN else sys.exit(0))
    # In one write: the other programs print to the same pipe.
    os.write(1, f"{name} {os.getpid()}\n".encode())
    if kind == UNABLE:
        raise MedeaError("MEDEA_CERTS is wrong")
    over.wait()


def main() -> None:
    """Supervise what the command line names."""
    named = [word.partition("=") for word in sys.argv[1:]]
    try:
        supervise({name: functools.partial(wait, name, kind) for name, _, kind in named})
    except MedeaError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
