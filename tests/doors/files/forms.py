"""Multipart bodies, as curl and worse clients send them."""

import io
from collections.abc import Sequence

Part = tuple[str, str | None, bytes]
"""Name, file name (None: a field), content."""
BOUNDARY = "------------------------d74496d66958873e"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def body(parts: Sequence[Part]) -> bytes:
    """The body."""
    out = bytearray()
    for name, filename, content in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        out += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        out += content + b"\r\n"
    return bytes(out) + f"--{BOUNDARY}--\r\n".encode()


def upload(*files: tuple[str, bytes], user: str = "1", service: str = "example") -> bytes:
    """What `curl -F file=@… -F user_id=1 -F service=example` sends."""
    return body(
        [
            *(("file", name, data) for name, data in files),
            ("user_id", None, user.encode()),
            ("service", None, service.encode()),
        ]
    )


class Drops(io.RawIOBase):
    """A body that comes in pieces of a few bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._size) if size >= 0 else self._size)
