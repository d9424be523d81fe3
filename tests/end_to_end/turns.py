"""Who is in the laboratory, or uses a part of it, while several files of tests run at once.

All of it is locks on files, which go with the process that has them.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import IO

from tests.lab.layout import STATE

_AGAIN = 0.1


class Company(StrEnum):
    """Whom a file of tests bears beside it in the laboratory: files of its own kind, or nobody."""

    ANYBODY = "anybody"
    WITHOUT_ARGO = "without-argo"
    ALONE = "alone"


@contextmanager
def turn(of: str) -> Iterator[None]:
    """Wait until nobody else has it."""
    with _locked(of, fcntl.LOCK_EX):
        yield


@contextmanager
def among(company: Company) -> Iterator[None]:
    """Wait until nobody but such company is there; nobody else comes meanwhile.

    Who waits keeps nobody out: files are given out kind by kind, so that those of the kind before come first.
    """
    how = fcntl.LOCK_EX if company == Company.ALONE else fcntl.LOCK_SH
    while True:
        with ExitStack() as held:
            if _is_in(company, how, held):
                yield
                return
        time.sleep(_AGAIN)


def _is_in(company: Company, how: int, held: ExitStack) -> bool:
    """Whether there was nobody else just now; then `held` has this one's lock."""
    with turn("tests"):
        try:
            for other in Company:
                if other != company:
                    with _locked(f"tests-{other}", fcntl.LOCK_EX | fcntl.LOCK_NB):
                        pass
            held.enter_context(_locked(f"tests-{company}", how | fcntl.LOCK_NB))
        except BlockingIOError:
            return False
    return True


@contextmanager
def together(of: str, begin: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    """Each who comes does `begin`, where it is not done yet; who leaves last does `end`."""
    with _locked(of, fcntl.LOCK_SH) as file:
        with turn(f"{of}-begins"):
            begin()
        try:
            yield
        finally:
            if _is_last(file):
                end()


def _is_last(file: IO[str]) -> bool:
    """Whether nobody else has a lock on it. Those who come wait from then on until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(name: str, how: int) -> Iterator[IO[str]]:
    with (STATE / f"{name}.turn").open("w") as file:
        fcntl.flock(file, how)
        yield file
