"""Reads schedules as robfig/cron v3's `ParseStandard` does, and finds their ticks. Pure.

Five fields (minute, hour, day, month, weekday) of numbers, names, `*`, `?`, lists, ranges and steps; or `@hourly` and
the like; or `@every 1h30m`; before either, `CRON_TZ=ZONE`. Times are whole seconds since the epoch.
"""

import datetime
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from webhook.cron.calendar import Calendar
from webhook.errors import quoted
from webhook.model.durations import nanoseconds


class Schedule(Protocol):
    """What ticks."""

    def following(self, after: int, since: int, /) -> int | None:
        """The first tick later than `after`; None if there is none. `since` is what `@every` counts from."""


@dataclass(frozen=True)
class Every:
    """Ticks every `delay` seconds, at least 1.

    Argo counts them anew from each change of the CronWorkflow, its own included; here they are counted from the last
    tick, so that they are the same whoever counts.
    """

    delay: int

    def following(self, after: int, since: int) -> int | None:
        """The first tick later than `after`."""
        return since + ((max(after, since) - since) // self.delay + 1) * self.delay


def latest(schedule: Schedule, since: int, begin: int, end: int) -> int | None:
    """The last tick later than `begin` and not later than `end`; None if there is none.

    It looks back in steps that get longer, so that a schedule which ticks often costs no more than one which does not.
    """
    width = 64
    while True:
        start = max(begin, end - width)
        found, tick = None, schedule.following(start, since)
        while tick is not None and tick <= end:
            found, tick = tick, schedule.following(tick, since)
        if found is not None or start <= begin:
            return found
        width *= 4


def parsed(text: str) -> Schedule:
    """The schedule that a text writes. Raises ValueError, in words for who wrote it."""
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, space, text = text.partition(" ")
        if not space:
            raise ValueError(f"nothing follows {quoted(prefix)}")
        zone, text = _zone(prefix.partition("=")[2]), text.strip()
    else:
        zone = datetime.UTC
    if not text:
        raise ValueError("it is empty")
    if text.startswith("@every "):
        return Every(max(1, _seconds(text.removeprefix("@every "))))
    words = _DESCRIPTORS.get(text, text).split()
    if text.startswith("@") and text not in _DESCRIPTORS:
        raise ValueError(f"it is none of {', '.join(_DESCRIPTORS)} and @every 1h30m")
    if len(words) != len(_FIELDS):
        raise ValueError(f"it has {len(words)} fields, and must have 5: minute, hour, day, month, weekday")
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _field(word, bounds) for word, bounds in zip(words, _FIELDS, strict=True)
    )
    return Calendar(minutes, hours, days, months, weekdays, any_day or any_weekday, zone)


@dataclass(frozen=True)
class _Bounds:
    name: str
    least: int
    most: int
    names: Mapping[str, int]


def _numbered(words: str, first: int) -> Mapping[str, int]:
    return {word: number for number, word in enumerate(words.split(), first)}


_FIELDS = (
    _Bounds("minute", 0, 59, {}),
    _Bounds("hour", 0, 23, {}),
    _Bounds("day", 1, 31, {}),
    _Bounds("month", 1, 12, _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1)),
    _Bounds("weekday", 0, 6, _numbered("sun mon tue wed thu fri sat", 0)),
)
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NUMBER = re.compile(r"\+?[0-9]{1,18}|-0{1,18}", re.ASCII)


def _field(text: str, bounds: _Bounds) -> tuple[frozenset[int], bool]:
    """The values of a field, and whether it says that any will do: a `*` with a step does not."""
    parts = [_range(part, bounds) for part in text.split(",") if part]
    return _union(values for values, _ in parts), any(star for _, star in parts)


def _union(values: Iterable[range]) -> frozenset[int]:
    return frozenset(value for one in values for value in one)


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    where = f"its {bounds.name} {quoted(text)}"
    span, *steps = text.split("/")
    first, *others = span.split("-")
    star = first in ("*", "?")
    if len(steps) > 1 or (len(others) > 1 and not star):
        raise ValueError(f"{where} must be one range with at most one step, such as 10-20/5")
    step = _number(steps[0], where, {}) if steps else 1
    start = bounds.least if star else _number(first, where, bounds.names)
    end = bounds.most if star else _number(others[0], where, bounds.names) if others else start
    if steps and not others:
        end = bounds.most
    if not bounds.least <= start <= end <= bounds.most:
        raise ValueError(f"{where} must lie within {bounds.least}-{bounds.most}, and not end before it begins")
    if step == 0:
        raise ValueError(f"{where} has a step of 0")
    return range(start, end + 1, step), star and step == 1


def _number(text: str, where: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not _NUMBER.fullmatch(text):
        others = f", and none of {' '.join(names)}" if names else ""
        raise ValueError(f"{where}: {quoted(text)} is no number{others}")
    return int(text)


def _seconds(text: str) -> int:
    found = nanoseconds(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is no duration such as 1h30m or 45s")
    return found // 10**9


def _zone(name: str) -> datetime.tzinfo:
    if name in ("", "UTC", "Local"):
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"there is no timezone {quoted(name)}; one is Europe/Berlin") from None
