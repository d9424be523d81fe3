"""Connections whose read timeout limits the whole answer; urllib3's own limits each single read.

Otherwise a server that sends a byte now and then could hold a thread for ever.
"""

import contextlib
import http.client
import io
import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Raw(io.RawIOBase):
    """Reads a socket until a deadline, in seconds of the monotonic clock."""

    def __init__(self, inner: io.BufferedReader, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._inner, self._socket, self._deadline = inner, sock, deadline
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._socket.settimeout(left)
        return self._inner.raw.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._inner.close()
        with contextlib.suppress(OSError):
            # The next request on this connection gets the full timeout again.
            self._socket.settimeout(self._timeout)


class _Answer(http.client.HTTPResponse):
    _ahead = io.DEFAULT_BUFFER_SIZE
    """Up to so many bytes are read at once, even if fewer are asked for."""

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        timeout = sock.gettimeout()
        if timeout is not None:
            self.fp = io.BufferedReader(_Raw(self.fp, sock, time.monotonic() + timeout), self._ahead)


class _ExactAnswer(_Answer):
    _ahead = 1


def _pools(answer: type[_Answer]) -> dict[str, type[HTTPConnectionPool]]:
    """By scheme, the pools of connections whose answers are of this class."""

    class Connection(HTTPConnection):
        response_class = answer

    class TlsConnection(HTTPSConnection):
        response_class = answer

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}


def bounded(manager: PoolManager) -> PoolManager:
    """Make `manager` use such connections; returns it."""
    manager.pool_classes_by_scheme = _pools(_Answer)
    return manager


def exact(manager: PoolManager) -> PoolManager:
    """Like `bounded`, and nothing is read beyond an answer's head before it is asked for.

    After the answer 101 another protocol follows on the connection, whose bytes are not for HTTP's reader.
    """
    manager.pool_classes_by_scheme = _pools(_ExactAnswer)
    return manager
