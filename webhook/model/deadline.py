"""The moment by which a request must be answered, passed down to every step. Pure but for its clocks."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

from webhook.errors import Unavailable

Clock = Callable[[], float]
Now = Callable[[], datetime.datetime]


def utc_now() -> datetime.datetime:
    """The time of day, in UTC, for what people or other machines read."""
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Deadline:
    """`at` is a moment on `clock`, which is monotonic; both are in seconds."""

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> "Deadline":
        """A deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds left; negative once the deadline has passed."""
        return self.at - self.clock()

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    def check(self, what: str, *, need: float = 0.0) -> None:
        """Raises Unavailable if no more than `need` seconds are left; `what` completes "no time left", e.g. "to …"."""
        if self.left <= need:
            raise Unavailable(f"there was no time left {what}, since Medea or what it asks is slow now; try again")

    def timeout(self, most: float, what: str, *, least: float = 0.0) -> float:
        """Seconds that one call may take: `most`, or what is left if less. Raises Unavailable below `least`."""
        self.check(what, need=least)
        return min(most, self.left)
