"""A connection into a pod, as `kubectl exec` has it: one on which its cluster has agreed to speak no HTTP any more."""

import socket

import urllib3

from webhook.errors import ClusterUnavailable

_PASSED_ON = (
    "Upgrade",
    "X-Stream-Protocol-Version",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)
"""The headers that belong to the protocol which was agreed on; others are about this connection only."""


class PodConnection:
    """What follows `head`, the cluster's answer, is read from `socket`. Close it in the end."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        found = getattr(response.connection, "sock", None)
        if not isinstance(found, socket.socket):
            response.close()
            raise ClusterUnavailable("the connection into the pod was closed at once")
        self.socket: socket.socket = found

    @property
    def head(self) -> bytes:
        """The answer with which the cluster agreed, for whoever asked for the protocol."""
        headers = self._response.headers
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"]
        lines += [f"{name}: {value}" for name in _PASSED_ON for value in headers.getlist(name)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
