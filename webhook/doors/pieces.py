"""A file that is written on one side and taken away piece by piece on the other."""

import io
from collections.abc import Iterator
from typing import Any


class Outbox(io.RawIOBase):
    """Takes what is written, until it is taken away. It can't be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.position = 0
        """Bytes written so far."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self._pieces.append(bytes(data))
        self.position += len(data)
        return len(data)

    def take(self) -> bytes:
        """All that was written since the last time."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


class Inbox(io.RawIOBase):
    """A file that is read from an iterator of pieces: as many bytes as are asked for, unless it ends."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, all that is left if it is negative. What the iterator raises is passed on."""
        found, have = [self._left], len(self._left)
        while size < 0 or have < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            found.append(piece)
            have += len(piece)
        whole = b"".join(found)
        if size < 0:
            self._left = b""
            return whole
        self._left = whole[size:]
        return whole[:size] if self._left else whole
