"""The moment by which a request must be answered, passed down to every step. Pure but for its clocks."""

import datetime
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from webhook.errors import Unavailable

Clock = Callable[[], float]
Now = Callable[[], datetime.datetime]
# A duration as Go writes it: 10s, 1.5s, 500ms, 1m0s.
_GO_DURATION = re.compile(r"(?:([0-9]{1,4}(?:\.[0-9]{1,9})?)(ms|s|m))+")
_GO_PART = re.compile(r"([0-9.]+)(ms|s|m)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


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


def go_duration(text: str) -> float | None:
    """Seconds in a Go duration, such as an apiserver's `?timeout=10s`; None if it is not one."""
    if not _GO_DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _GO_PART.findall(text))
