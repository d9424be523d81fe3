"""Waiting for a Postgres that is away for a moment only, as while it is restarted."""

import threading
import time
from collections.abc import Callable

import psycopg

from webhook.ledger.connection import CONNECT
from webhook.model.deadline import Clock
from webhook.model.limits.ledger import LEDGER_GIVEN_UP, LEDGER_LOOK_AGAIN, LEDGER_PATIENT


class Comeback:
    """One caller at a time asks Postgres, all others wait for that one. `back` is called when it answers again."""

    def __init__(self, dsn: str, back: Callable[[], None], *, clock: Clock = time.monotonic) -> None:
        self._dsn, self._back, self._clock = dsn, back, clock
        self._patient = threading.BoundedSemaphore(LEDGER_PATIENT)
        self._asking = threading.Lock()
        self._answered: float | None = None
        self._away_since: float | None = None
        self._closed = threading.Event()

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closed.set()

    @property
    def given_up(self) -> bool:
        """Whether Postgres has been away for so long that nobody waits for it any more."""
        since = self._away_since
        return since is not None and self._clock() - since > LEDGER_GIVEN_UP

    def answers(self) -> None:
        """Somebody has a connection."""
        self._away_since = None

    def within(self, seconds: float) -> bool:
        """Whether Postgres answers within `seconds`; at once False if it is given up, or too many wait already."""
        began = self._clock()
        if self.given_up:
            return False
        if not self._patient.acquire(blocking=False):
            return False
        try:
            while (left := began + seconds - self._clock()) > 0 and not self._closed.is_set():
                if not self._asking.acquire(timeout=left):
                    return False
                try:
                    if self._has_answered(since=began):
                        return True
                finally:
                    self._asking.release()
            return False
        finally:
            self._patient.release()

    def _has_answered(self, since: float) -> bool:
        if self._answered is not None and self._answered >= since:
            return True
        self._closed.wait(LEDGER_LOOK_AGAIN)
        try:
            psycopg.connect(self._dsn, **CONNECT).close()
        except psycopg.OperationalError:
            self._away_since = self._away_since or self._clock()
            return False
        self._answered = self._clock()
        self.answers()
        self._back()
        return True
