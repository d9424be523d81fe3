"""Sends and receives on one connection at the same time, in one thread: a TLS connection bears no two."""

import select
import socket
import ssl
from contextlib import suppress

_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def exchange(one: socket.socket, sent: bytes, size: int, *, within: float = 60) -> bytes:
    """Send all of `sent`, and receive until `size` bytes have come or the other side has closed."""
    before, found, left, closed = one.gettimeout(), bytearray(), memoryview(sent), False
    one.settimeout(0)
    while left or (len(found) < size and not closed):
        moved = False
        with suppress(*_NOT_YET):
            count = one.send(left) if left else 0
            left, moved = left[count:], count > 0
        with suppress(*_NOT_YET):
            piece = one.recv(1 << 16)
            found += piece
            closed, moved = not piece, True
        if not moved and not any(select.select([one], [one] if left else [], [], within)):
            raise TimeoutError(f"nothing moves any more: {len(left)} bytes to send, {len(found)} received")
    one.settimeout(before)
    return bytes(found)
