"""When a schedule of five fields ticks, to the second as robfig/cron v3 has it, clock changes included. Pure.

A field is incremented until it fits, the larger ones first. A local time that doesn't exist, or exists twice, is what
Go's `time.Date` makes of it: the tick is left out or comes twice. `tests/cron/recorded` has Go's own answers.
"""

import datetime
from dataclasses import dataclass

from webhook.model.limits.cron import YEARS_AHEAD

_HOUR = 3600
_MINUTE = 60


@dataclass(frozen=True)
class Calendar:
    """The values that each field allows. `all_must_fit`: day and weekday both, else either; Sunday is 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    all_must_fit: bool
    zone: datetime.tzinfo

    def following(self, after: int, _since: int) -> int | None:
        """The first tick later than `after`, in seconds since the epoch; None if there is none in the next years."""
        if not (self.minutes and self.hours and self.months):
            return None
        walk = _Walk(after + 1, self.zone)
        last = walk.local.year + YEARS_AHEAD
        steps = (self._to_month, self._to_day, self._to_hour, self._to_minute, _to_second)
        while walk.local.year <= last:
            if all(step(walk) for step in steps):
                return walk.at
        return None

    def _to_month(self, walk: "_Walk") -> bool:
        while walk.local.month not in self.months:
            walk.begin(day=1, hour=0)
            walk.add_month()
            if walk.local.month == 1:
                return False
        return True

    def _to_day(self, walk: "_Walk") -> bool:
        while not self._has_day(walk.local):
            walk.begin(hour=0)
            walk.add_day()
            # Where there is no midnight, the day began an hour early or late.
            hour = walk.local.hour
            walk.at += (24 - hour if hour > 12 else -hour) * _HOUR
            if walk.local.day == 1:
                return False
        return True

    def _to_hour(self, walk: "_Walk") -> bool:
        while walk.local.hour not in self.hours:
            walk.begin()
            walk.at += _HOUR
            if walk.local.hour == 0:
                return False
        return True

    def _to_minute(self, walk: "_Walk") -> bool:
        while walk.local.minute not in self.minutes:
            walk.to_next_minute()
            if walk.local.minute == 0:
                return False
        return True

    def _has_day(self, local: datetime.datetime) -> bool:
        fits = (local.day in self.days, local.isoweekday() % 7 in self.weekdays)
        return all(fits) if self.all_must_fit else any(fits)


def _to_second(walk: "_Walk") -> bool:
    rest = -walk.at % _MINUTE
    walk.at += rest
    return rest == 0


class _Walk:
    """A moment on its way to a tick. Once it has moved, the smaller fields are at their beginning."""

    def __init__(self, at: int, zone: datetime.tzinfo) -> None:
        self.at, self._zone, self._moved = at, zone, False

    @property
    def local(self) -> datetime.datetime:
        """The time of day there."""
        return datetime.datetime.fromtimestamp(self.at, self._zone)

    def begin(self, *, day: int | None = None, hour: int | None = None) -> None:
        """Go back to the beginning of the hour, and of the day or month, unless the walk has moved already."""
        if not self._moved:
            here = self.local
            day, hour = here.day if day is None else day, here.hour if hour is None else hour
            self._moved, self.at = True, self._resolved(datetime.datetime(here.year, here.month, day, hour))

    def to_next_minute(self) -> None:
        """The next full minute."""
        self._moved, self.at = True, self.at - self.at % _MINUTE + _MINUTE

    def add_month(self) -> None:
        """The same time of the same day, one month later."""
        here = self.local
        year, month = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
        # Through the first: from the 31st, Go goes on into the month after.
        self.at = self._of(datetime.datetime(year, month, 1) + datetime.timedelta(days=here.day - 1), here)

    def add_day(self) -> None:
        """The same time one day later."""
        here = self.local
        self.at = self._of(datetime.datetime(here.year, here.month, here.day) + datetime.timedelta(days=1), here)

    def _of(self, day: datetime.datetime, time_of: datetime.datetime) -> int:
        return self._resolved(day.replace(hour=time_of.hour, minute=time_of.minute, second=time_of.second))

    def _resolved(self, local: datetime.datetime) -> int:
        """As Go's `time.Date`: by the offset that holds at the moment which the first guess leads to."""
        plain = int(local.replace(tzinfo=datetime.UTC).timestamp())
        return plain - self._offset(plain - self._offset(plain))

    def _offset(self, at: int) -> int:
        offset = datetime.datetime.fromtimestamp(at, self._zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())
