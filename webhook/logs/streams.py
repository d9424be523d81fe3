"""The logs being read: limits how many at once, and notices when a reader is gone."""

import select
import socket
import threading
from collections.abc import Callable

from prometheus_client import Gauge

from webhook.errors import Busy
from webhook.kube import threads

_STREAMS = Gauge("medea_log_streams", "Logs that are being read now")

_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Streams:
    """Slots for readers, and one thread that notices when a reader goes away while its log is silent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.BoundedSemaphore(most)
        self._readers = select.epoll()
        self._ends: dict[int, Callable[[], None]] = {}

    def start(self) -> None:
        """Start the thread that watches readers."""
        threads.start_loop("log-readers", self._turn, stop=threading.Event())

    def take(self) -> None:
        """Take a slot. Raises Busy if there is none."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self._most} logs are being read at once, as many as MEDEA_LOGS_STREAMS allows; try again")
        _STREAMS.inc()

    def release(self) -> None:
        """Give a slot back."""
        self._free.release()
        _STREAMS.dec()

    def watch(self, reader: socket.socket, end: Callable[[], None]) -> Callable[[], None]:
        """Call `end`, from another thread, when the reader goes away.

        Returns a function that must be called before the reader's connection is closed or reused.
        """
        number = reader.fileno()
        self._ends[number] = end
        self._readers.register(number, _GONE | select.EPOLLONESHOT)

        def forget() -> None:
            if self._ends.pop(number, None):
                self._readers.unregister(number)

        return forget

    def _turn(self) -> None:
        for number, _ in self._readers.poll():
            end = self._ends.get(number)
            if end:
                with threads.isolated("log-readers"):
                    end()


def is_gone(reader: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    with select.epoll() as one:
        one.register(reader.fileno(), _GONE)
        return bool(one.poll(0))
