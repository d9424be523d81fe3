"""Durations as Go writes and reads them, such as 1h30m, 1.5s and 500ms. Pure."""

import re
from fractions import Fraction

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"([+-]?)(?:0|(?:{_PART.pattern})+)", re.ASCII)
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6}
_NANOSECONDS |= {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_LONGEST = 1 << 63
_LONGEST_TEXT = 64


def nanoseconds(text: str) -> int | None:
    """The duration, as Go's `ParseDuration` reads it; None if it is not one, or longer than Go's 292 years."""
    found = _DURATION.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        return None
    total = sum(int(Fraction(f"0{number}") * _NANOSECONDS[unit]) for number, unit in _PART.findall(text))
    return None if total >= _LONGEST else -total if found[1] == "-" else total


def go_duration(text: str) -> float | None:
    """The same in seconds."""
    found = nanoseconds(text)
    return None if found is None else found / 10**9
