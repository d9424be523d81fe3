"""Who is in the laboratory, or uses a port of it, while several files of tests run at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.layout import STATE


@contextmanager
def turn(of: str, *, alone: bool) -> Iterator[None]:
    """Wait for a turn: nobody else has one of the same kind while somebody is `alone`."""
    with (STATE / f"{of}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
