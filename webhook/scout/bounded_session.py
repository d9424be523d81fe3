"""An HTTP session that limits time and size of each whole answer; requests itself only limits the time of each read."""

import io
import time
from collections.abc import Callable
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

_AT_ONCE = 1 << 16


class Endless(RequestException):
    """The answer takes too long or is too large."""


class BoundedSession(Session):
    """Raises RequestException for answers that take longer than `seconds` or have more than `size` bytes unpacked."""

    def __init__(self, *, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._size, self._clock = seconds, size, clock

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send, and read the whole answer."""
        deadline = self._clock() + self._seconds
        response = super().send(request, **{**options, "stream": True})
        # After a redirect, the inner call has already read the answer.
        if not isinstance(response.raw, io.BytesIO):
            try:
                response.raw = io.BytesIO(self._read(response, deadline))
            except HTTPError as error:
                response.close()
                raise RequestException(f"the answer broke off: {error}") from error
            except RequestException:
                response.close()
                raise
        return response

    def _read(self, response: Response, deadline: float) -> bytes:
        parts, length = list[bytes](), 0
        # `read1` reads the socket once, so each step is limited by the request's own timeout.
        while part := response.raw.read1(_AT_ONCE, decode_content=True):
            length += len(part)
            if length > self._size:
                raise Endless(f"the answer is larger than {self._size} bytes")
            if self._clock() > deadline:
                raise Endless(f"the answer did not end within {self._seconds:.0f} s")
            parts.append(part)
        return b"".join(parts)
