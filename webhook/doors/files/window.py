"""A part of an object in the store as a file that can be sought in, for what reads zips."""

from collections.abc import Callable

Ranges = Callable[[int, int], bytes]
"""Reads so many bytes of an object from a position on."""


class Window:
    """Some bytes of an object. Not a whole file object: as much of one as `zipfile` needs to read."""

    def __init__(self, read_range: Ranges, start: int, size: int, *, ahead: int, most: int) -> None:
        """`ahead` is how many bytes are read at once at least, and `most` at most: an archive may lie about sizes."""
        self._read_range, self._start, self._size = read_range, start, size
        self._ahead, self._most = ahead, most
        self._at, self._known, self._known_at = 0, b"", 0

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position, as files do."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises ValueError if these are too many."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self._most:
            raise ValueError(f"{wanted} bytes at once are too much")
        begin = self._at - self._known_at
        if begin < 0 or begin + wanted > len(self._known):
            self._known_at, begin = self._at, 0
            self._known = self._read_range(self._start + self._at, min(left, max(wanted, self._ahead))) if left else b""
        found = self._known[begin : begin + wanted]
        self._at += len(found)
        return found
