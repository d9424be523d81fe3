"""How many people may be in pods at once: in all, and in the pods of one namespace."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from webhook.errors import Busy
from webhook.logs.session_request import Kind

_SESSIONS = Gauge("medea_sessions", "Connections into pods that are open now", ["kind"])


class Places:
    """Half of the places, and at least one, are open to each namespace, so that none shuts others out."""

    def __init__(self, most: int) -> None:
        self._most, self._most_in_one = most, max(1, most // 2)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, kind: Kind, namespace: str) -> Iterator[None]:
        """A place for as long as the block runs. Raises Busy if there is none."""
        with self._lock:
            for taken, most, where in (
                (self._taken.total(), self._most, ""),
                (self._taken[namespace], self._most_in_one, f" of namespace {namespace}"),
            ):
                if taken >= most:
                    raise Busy(
                        f"{taken} connections into pods{where} are open, as many as MEDEA_LOGS_SESSIONS={self._most} "
                        "allows; try again"
                    )
            self._taken[namespace] += 1
        _SESSIONS.labels(kind).inc()
        try:
            yield
        finally:
            _SESSIONS.labels(kind).dec()
            with self._lock:
                self._taken[namespace] -= 1
                self._taken += Counter()
