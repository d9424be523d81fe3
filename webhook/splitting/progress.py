"""How far chunks are. Pure."""

from collections.abc import Iterable
from typing import Protocol


class Counted(Protocol):
    """Something of which so many items of so many are done."""

    @property
    def done(self) -> int:
        """Items that are done."""

    @property
    def size(self) -> int:
        """All items."""


def percent(done: int, size: int) -> int:
    """Whole percents, rounded down: 100 says that all is done."""
    return 100 * done // size if size else 100


def total_done(chunks: Iterable[Counted]) -> int:
    """Items that are done in all chunks."""
    return sum(one.done for one in chunks)
