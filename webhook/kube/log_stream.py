"""A container's log, read piece by piece from a cluster."""

from collections.abc import Iterator

import urllib3

from webhook.errors import ClusterUnavailable, quoted
from webhook.model.limits.logs import LOG_PIECE


class LogStream:
    """The answer to one request for a log. With `follow` it may be silent for any time, until its container ends."""

    def __init__(self, response: urllib3.BaseHTTPResponse, cluster: str, *, follow: bool) -> None:
        self._response, self._cluster = response, cluster
        self._ended = False
        socket = getattr(response.connection, "sock", None)
        if follow and socket is not None:
            socket.settimeout(None)

    def pieces(self) -> Iterator[bytes]:
        """The log as it arrives, until it ends or `end` is called. Raises ClusterUnavailable if it breaks off."""
        try:
            yield from self._response.stream(LOG_PIECE)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._ended:
                raise ClusterUnavailable(f"the log from {self._cluster} broke off: {quoted(str(error))}") from error

    def end(self) -> None:
        """Make `pieces` end. May be called from another thread than the reading one."""
        self._ended = True
        try:
            self._response.shutdown()
        except (OSError, ValueError, RuntimeError):
            return

    def close(self) -> None:
        """Close the connection, which also ends the request on the cluster."""
        self._response.close()
