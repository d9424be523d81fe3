"""Moments and spans of time in expressions. Pure: what the time is comes from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webhook.model.durations import go_duration
from webhook.totals.expressions.doubt import Doubt


@dataclass(frozen=True)
class Moment:
    """Seconds since the epoch."""

    seconds: float


@dataclass(frozen=True)
class Span:
    """Seconds."""

    seconds: float


Timed = Moment | Span


def span_of(text: object) -> Span:
    """The duration that a text writes as Go does. Raises Doubt."""
    seconds = go_duration(text) if isinstance(text, str) else None
    if seconds is None:
        raise Doubt
    return Span(seconds)


def reckoned(operator: str, left: object, right: object) -> Timed:
    """A sum or a difference of times. Raises Doubt."""
    if operator == "-" and isinstance(left, Moment) and isinstance(right, Moment):
        return Span(left.seconds - right.seconds)
    if operator not in ("+", "-") or not isinstance(left, Timed) or not isinstance(right, Span):
        raise Doubt
    change = right.seconds if operator == "+" else -right.seconds
    return type(left)(left.seconds + change)


def _of_span(divisor: float) -> Callable[[object], float]:
    def method(of: object) -> float:
        if not isinstance(of, Span):
            raise Doubt
        return of.seconds / divisor

    return method


def _unix(of: object) -> int:
    if not isinstance(of, Moment):
        raise Doubt
    return int(of.seconds // 1)


METHODS: Mapping[str, Callable[[object], int | float]] = {
    ".Seconds": _of_span(1.0),
    ".Minutes": _of_span(60.0),
    ".Hours": _of_span(3600.0),
    ".Unix": _unix,
}
"""What may be called on a time, by name with the dot."""
