"""A container's log on its way from a cluster, piece by piece."""

from collections.abc import Iterator

import urllib3

from webhook.errors import ClusterUnavailable, quoted
from webhook.model.limits import LOG_PIECE


class LogStream:
    """The answer to one request for a log. `follow`: it ends with its container, and may be silent until then."""

    def __init__(self, response: urllib3.BaseHTTPResponse, cluster: str, *, follow: bool) -> None:
        self._response, self._cluster = response, cluster
        self._ended = False
        socket = getattr(response.connection, "sock", None)
        if follow and socket is not None:
            socket.settimeout(None)

    def pieces(self) -> Iterator[bytes]:
        """What arrives, as it arrives, to the log's end or to a call of `end`. Raises ClusterUnavailable."""
        try:
            yield from self._response.stream(LOG_PIECE)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._ended:
                raise ClusterUnavailable(f"the log from {self._cluster} broke off: {quoted(str(error))}") from error

    def end(self) -> None:
        """Let `pieces` come to its end. May be called from another thread than the one that reads."""
        self._ended = True
        try:
            self._response.shutdown()
        except (OSError, ValueError, RuntimeError):
            return

    def close(self) -> None:
        """Drop the connection, and with it the request on the cluster."""
        self._response.close()
