"""A session whose answers end: each whole answer has a deadline and a size limit, where requests bounds each read."""

import io
import time
from collections.abc import Callable
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

_AT_ONCE = 1 << 16


class Endless(RequestException):
    """The answer is longer, in seconds or bytes, than anything that is asked for."""


class BoundedSession(Session):
    """Answers come whole within `seconds`, and have at most `size` bytes when unpacked; else a RequestException."""

    def __init__(self, *, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._size, self._clock = seconds, size, clock

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send, and read the whole answer."""
        deadline = self._clock() + self._seconds
        response = super().send(request, **{**options, "stream": True})
        # What was redirected has been read by the call for where it led to.
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
        # One read of the socket at a time: how long each may take is bounded by the request's own timeout.
        while part := response.raw.read1(_AT_ONCE, decode_content=True):
            length += len(part)
            if length > self._size:
                raise Endless(f"the answer is larger than {self._size} bytes")
            if self._clock() > deadline:
                raise Endless(f"the answer did not end within {self._seconds:.0f} s")
            parts.append(part)
        return b"".join(parts)
