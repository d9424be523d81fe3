"""What an apiserver asks a kubelet for when somebody wants into a pod, and what Medea asks a target for. Pure.

The kubelet's API and the apiserver's say the same in different words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webhook.errors import BadRequest, wrong_field
from webhook.kube.resources import checked_name

_SPDY, _WEBSOCKET = "spdy/3.1", "websocket"
_SEVERAL = "X-Stream-Protocol-Version"
_PROTOCOL_HEADERS = (
    _SEVERAL,
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)
_FLAGS = {"input": "stdin", "output": "stdout", "error": "stderr", "tty": "tty"}
"""A kubelet's names, and an apiserver's."""


class Kind(StrEnum):
    """What can be done in a pod, under the name of its subresource."""

    EXEC = "exec"
    ATTACH = "attach"
    PORT_FORWARD = "portforward"


@dataclass(frozen=True)
class SessionRequest:
    """One request for the target's apiserver: `upgrade` are the headers of the protocol that is spoken afterwards."""

    kind: Kind
    method: str
    query: tuple[tuple[str, str], ...]
    upgrade: tuple[tuple[str, str], ...]


def read_request(
    kind: Kind, container: str | None, asked: Mapping[str, Sequence[str]], header: Callable[[str], str | None]
) -> SessionRequest:
    """The request, from a kubelet's URL and the headers. Raises BadRequest.

    `asked` has all values of each parameter, `header` gives a header's value. Only port forwarding has no container.
    """
    protocol = (header("Upgrade") or "").strip()
    if protocol.lower() not in (_SPDY, _WEBSOCKET):
        expected = "this needs a connection that is upgraded to SPDY/3.1 or websocket"
        raise wrong_field(BadRequest, "header Upgrade", protocol, expected)
    upgrade = [("Connection", "Upgrade"), ("Upgrade", protocol)]
    upgrade += [(name, one) for name in _PROTOCOL_HEADERS for one in _values(name, header(name) or "")]
    # A WebSocket can't begin with anything but GET.
    method = "GET" if protocol.lower() == _WEBSOCKET else "POST"
    return SessionRequest(kind, method, tuple(_query(kind, container, asked)), tuple(upgrade))


def _values(name: str, text: str) -> list[str]:
    """A header may come several times, which a WSGI server joins by commas."""
    several = text.split(",") if name == _SEVERAL else [text]
    return [one.strip() for one in several if one.strip()]


def _query(kind: Kind, container: str | None, asked: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    if kind is Kind.PORT_FORWARD:
        ports = [port for text in asked.get("port", ()) for port in text.split(",")]
        return [("ports", _port(port)) for port in ports]
    query = [("container", checked_name("container", container or ""))]
    query += [(ours, "true") for theirs, ours in _FLAGS.items() if _is_set(theirs, asked)]
    if kind is Kind.EXEC:
        query += [("command", word) for word in asked.get("command", ())]
    return query


def _is_set(name: str, asked: Mapping[str, Sequence[str]]) -> bool:
    values = asked.get(name) or ("0",)
    if values[0] not in ("1", "true", "0", "false"):
        raise wrong_field(BadRequest, name, values[0], "it must be 1 or 0")
    return values[0] in ("1", "true")


def _port(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 5 and 0 < int(text) < 1 << 16):
        raise wrong_field(BadRequest, "port", text, "it must be a port, 1 to 65535")
    return text
