"""Passes bytes on between two connections, both ways, until one of them ends. It knows no protocol."""

import select
import socket
import ssl
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import Counter

from webhook.model.limits.logs import SESSION_KEEPALIVE, SESSION_PIECE

_BYTES = Counter("medea_session_bytes_total", "Bytes passed on into pods (in) and from them (out)", ["way"])
_CLOSED = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_Wait = tuple[socket.socket, int]
"""A connection, and the events of poll without which nothing can go on there."""


@dataclass
class _Way:
    """One direction. A piece is read only when the one before has been written, so a slow sink slows its source."""

    name: str
    source: socket.socket
    sink: socket.socket
    moved: int = 0
    ended: bool = False
    _deaf: bool = False
    _piece: bytearray = field(default_factory=lambda: bytearray(SESSION_PIECE))
    _unsent: memoryview = field(default_factory=lambda: memoryview(b""))

    def step(self) -> _Wait | None:
        """Read or write once. Returns what has to be waited for; None if something was done."""
        try:
            if self._unsent:
                self._write()
            else:
                self._read()
        except ssl.SSLWantReadError:
            return (self.sink if self._unsent else self.source), select.POLLIN
        except ssl.SSLWantWriteError:
            return (self.sink if self._unsent else self.source), select.POLLOUT
        except BlockingIOError:
            return (self.sink, select.POLLOUT) if self._unsent else (self.source, select.POLLIN)
        return None

    def _read(self) -> None:
        try:
            size = self.source.recv_into(self._piece)
        except _NOT_YET:
            raise
        except OSError:
            size = 0
        self.ended = size == 0
        if not self._deaf:
            self._unsent = memoryview(self._piece)[:size]

    def _write(self) -> None:
        try:
            size = self.sink.send(self._unsent)
        except _NOT_YET:
            raise
        except OSError:
            # It takes nothing more, but may have said something before: the other direction reads that to its end.
            self._deaf, self._unsent = True, memoryview(b"")
            return
        self.moved += size
        _BYTES.labels(self.name).inc(size)
        self._unsent = self._unsent[size:]


@dataclass(frozen=True)
class Relayed:
    """How many bytes went into the pod and came out of it, and whether it was given up because nothing moved."""

    into: int
    out: int
    silent: bool


def relay(front: socket.socket, pod: socket.socket, *, silence: float, parting: float) -> Relayed:
    """Pass on until either side closes its connection, or nothing has moved for `silence` seconds.

    Everything that a side sent before it closed has been passed on then, unless the other takes nothing for `parting`
    seconds. The connections are left open, and don't block.
    """
    ways = (_Way("in", front, pod), _Way("out", pod, front))
    for one in (front, pod):
        one.settimeout(0)
        _keep_alive(one)
    silent, staying = False, {front.fileno(), pod.fileno()}
    while not (silent or any(way.ended for way in ways)):
        waits = [way.step() for way in ways]
        # TLS may have read more from the system than it has given out: poll knows of nothing that waits there.
        if all(waits):
            patience = silence if len(staying) == len(ways) else parting
            silent = not _wait([wait for wait in waits if wait], staying, patience)
    return Relayed(ways[0].moved, ways[1].moved, silent)


def _wait(waits: list[_Wait], staying: set[int], patience: float) -> bool:
    """Wait until one of them can go on, or one of `staying` has closed, which then leaves that; whether that was so.

    Who has closed is seen only where something is read, and nothing is while the other side takes nothing.
    """
    masks: defaultdict[int, int] = defaultdict(int, dict.fromkeys(staying, _CLOSED))
    for one, events in waits:
        masks[one.fileno()] |= events
    poll = select.poll()
    for number, events in masks.items():
        poll.register(number, events)
    found = poll.poll(patience * 1000)
    staying -= {number for number, events in found if events & _CLOSED}
    return bool(found)


def say_goodbye(one: socket.socket) -> None:
    """Tell a TLS peer that this is the end, without waiting for its answer: else it takes the end for an accident."""
    if isinstance(one, ssl.SSLSocket):
        with suppress(OSError, ValueError):
            one.unwrap()


def _keep_alive(one: socket.socket) -> None:
    """Have the system notice a peer that is gone without a word: in a session nobody may say anything for hours."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in SESSION_KEEPALIVE.items():
        one.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
