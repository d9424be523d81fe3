"""How tasks may end, as far as what was submitted decides it."""

from enum import Flag, auto
from functools import reduce
from operator import or_

Truth = bool | None
"""None is unknown."""


class Ends(Flag):
    """How a task may end. One that runs ends in one of the first four."""

    SUCCEEDED = auto()
    FAILED = auto()
    ERRORED = auto()
    DAEMONED = auto()
    SKIPPED = auto()
    """By its condition, or because it loops over nothing."""
    OMITTED = auto()
    """By `depends`."""

    @property
    def runs(self) -> bool:
        """Whether it may run."""
        return bool(self & RAN)


RAN = Ends.SUCCEEDED | Ends.FAILED | Ends.ERRORED | Ends.DAEMONED
"""It runs, and nobody knows how it ends."""
ANY = reduce(or_, Ends)
"""Nothing is known."""
RESULTS = {
    "Succeeded": Ends.SUCCEEDED,
    "Failed": Ends.FAILED,
    "Errored": Ends.ERRORED,
    "Daemoned": Ends.DAEMONED,
    "Skipped": Ends.SKIPPED,
    "Omitted": Ends.OMITTED,
}
"""By their names in `depends`."""
