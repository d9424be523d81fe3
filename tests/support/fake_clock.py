"""A clock that stands still until it is told to go, and the moments at which something is to happen on it."""

import datetime
import heapq
import itertools
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()


class FakeClock:
    """Seconds. `time` is since the epoch and may be set apart by `skew`; `monotonic` only ever goes on."""

    def __init__(self, start: float = START) -> None:
        self._start = start
        self._passed = 0.0
        self.skew = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def time(self) -> float:
        """Seconds since the epoch, as this machine believes."""
        return self._start + self._passed + self.skew

    def true_time(self) -> float:
        """Seconds since the epoch, without the skew."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return 1000.0 + self._passed

    __call__ = monotonic

    def now(self) -> datetime.datetime:
        """The time as a datetime in UTC."""
        return datetime.datetime.fromtimestamp(self.time(), datetime.UTC)

    def stamp(self) -> str:
        """The true time as Kubernetes writes it: whole seconds."""
        moment = datetime.datetime.fromtimestamp(self.true_time(), datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` called when `seconds` from now have passed."""
        heapq.heappush(self._due, (self._passed + seconds, next(self._count), action))

    def advance(self, seconds: float) -> None:
        """Let time pass; what falls due meanwhile is done in its order. Inside of such an action time only passes."""
        until = self._passed + seconds
        while self._due and self._due[0][0] <= until:
            moment, _, action = heapq.heappop(self._due)
            self._passed = max(self._passed, moment)
            action()
        self._passed = max(self._passed, until)

    sleep = advance

    def next_due(self) -> float | None:
        """Seconds until the next action; None when nothing is to be done."""
        return max(0.0, self._due[0][0] - self._passed) if self._due else None

    @contextmanager
    def installed(self, *packages: str) -> Iterator[None]:
        """Give every loaded module of `packages` this clock for its `time` and `datetime` modules."""
        replaced: list[tuple[types.ModuleType, str, object]] = []
        stand_ins: dict[str, tuple[Any, Any]] = {
            "time": (time, self._time_module()),
            "datetime": (datetime, self._datetime_module()),
        }
        for name, module in list(sys.modules.items()):
            if module is None or not any(name == one or name.startswith(f"{one}.") for one in packages):
                continue
            for attribute, (real, stand_in) in stand_ins.items():
                if getattr(module, attribute, None) is real:
                    replaced.append((module, attribute, real))
                    setattr(module, attribute, stand_in)
        try:
            yield
        finally:
            for module, attribute, real in replaced:
                setattr(module, attribute, real)

    def _time_module(self) -> types.SimpleNamespace:
        own = {"time": self.time, "monotonic": self.monotonic, "sleep": self.sleep}
        return types.SimpleNamespace(**{**vars(time), **own})

    def _datetime_module(self) -> types.SimpleNamespace:
        clock = self

        class Moment(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> "Moment":
                return cls.fromtimestamp(clock.time(), tz)

        return types.SimpleNamespace(**{**vars(datetime), "datetime": Moment})
