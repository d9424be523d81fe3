"""Killing and starting parts of the laboratory, as `make lab-kill` and `make lab-start` do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.commands import run

# Longer than what the laboratory itself waits for, whose words are better.
_TIMEOUT = 300.0


def kill(what: str) -> None:
    """kill -9, with everything it started."""
    run([sys.executable, "-m", "tests.lab", "kill", what], timeout=_TIMEOUT).ok()


def start(what: str) -> None:
    """Start it, and wait until it is ready."""
    run([sys.executable, "-m", "tests.lab", "start", what], timeout=_TIMEOUT).ok()


def log(part: str) -> str:
    """What `webhook` (all doors) or `controller` has written since it was started."""
    return run([sys.executable, "-m", "tests.lab", "log", part]).ok().out


@contextmanager
def away(*parts: str) -> Iterator[None]:
    """These parts are gone for as long as the block runs, and back for certain after it."""
    for part in parts:
        kill(part)
    try:
        yield
    finally:
        for part in parts:
            start(part)
