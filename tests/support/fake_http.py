"""What goes over the wire between `Cluster` and the fake apiserver: calls, answers, and what goes wrong with them."""

import datetime
import email.utils
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

from webhook.model.objects import Object


@dataclass(frozen=True)
class Call:
    """One request. `verb` is Kubernetes' word; a dry run has `dry_run`."""

    cluster: str
    verb: str
    resource: str
    namespace: str | None
    name: str | None
    user: str
    subresource: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    dry_run: bool = False
    number: int = 0

    def __str__(self) -> str:
        where = "/".join(part for part in (self.resource, self.namespace, self.name, self.subresource) if part)
        return f"{self.verb}{' (dry run)' if self.dry_run else ''} {where} on {self.cluster}"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call. `kind` is one of refuse, hang, lose, status, cut, stale, garbage."""

    kind: str
    status: int = 503
    reason: str = ""
    message: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.status}" if self.kind == "status" else self.kind


REFUSE = Fault("refuse")
"""No connection is accepted."""
HANG = Fault("hang")
"""The call is never looked at, and no answer comes: the caller waits for all of its timeout."""
LOSE = Fault("lose")
"""The call is carried out, and the answer gets lost: the caller waits for all of its timeout."""
RESET = Fault("lose", number=1)
"""The call is carried out, and the connection breaks at once."""
GARBAGE = Fault("garbage")
"""The call is carried out, and the answer breaks off in the middle."""


def answer(status: int, message: str = "", reason: str = "") -> Fault:
    """The call is not carried out, and answered with this status."""
    return Fault("status", status=status, message=message or "the fake says so", reason=reason)


def cut(after: int = 0) -> Fault:
    """A watch breaks after so many events."""
    return Fault("cut", number=after)


def stale(version: int) -> Fault:
    """A list or a get shows what was there at an older version."""
    return Fault("stale", number=version)


class ApiError(Exception):
    """A Status other than success."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details or {}

    def body(self) -> Object:
        """The Status as an apiserver sends it."""
        plain = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        return {**plain, "reason": self.reason, "details": self.details, "code": self.code}


class Response:
    """What is used of `urllib3.BaseHTTPResponse`. `broken` is raised after the last chunk."""

    connection = None

    def __init__(self, status: int, chunks: Iterable[bytes], broken: Exception | None = None) -> None:
        self.status, self._chunks, self._broken = status, list(chunks), broken
        self.headers: dict[str, str] = {"Content-Type": "application/json"}

    @property
    def data(self) -> bytes:
        if self._broken:
            raise self._broken
        return b"".join(self._chunks)

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002
        yield from self._chunks
        if self._broken:
            raise self._broken

    def close(self) -> None:
        """Nothing is held."""

    release_conn = shutdown = drain_conn = close


def of_path(path: str) -> tuple[str, str | None, str | None, str | None]:
    """Plural, namespace, name and subresource."""
    parts = [part for part in path.split("/") if part]
    if parts[0] in ("readyz", "healthz", "livez"):
        return "readyz", None, None, None
    if parts[0] == "version":
        return "version", None, None, None
    if len(parts) == 3 and parts[0] == "apis":
        return "discovery", None, "/".join(parts[1:]), None
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    padded = [*rest, None, None]
    return str(rest[0]), namespace, padded[1], padded[2]


def as_json(status: int, body: Object, *, date: datetime.datetime | None = None) -> Response:
    """A whole answer."""
    response = Response(status, [json.dumps(body).encode()])
    if date:
        response.headers["Date"] = email.utils.format_datetime(date, usegmt=True)
    return response


def as_line(what: str, thing: Object) -> bytes:
    """An event of a watch."""
    return json.dumps({"type": what, "object": thing}).encode() + b"\n"


def protocol_error() -> Exception:
    """What a connection that breaks in the middle looks like."""
    return urllib3.exceptions.ProtocolError("Connection broken: IncompleteRead")


def read_timeout(timeout: Any) -> float:
    """Seconds."""
    read = getattr(timeout, "read_timeout", timeout)
    return float(read) if isinstance(read, int | float) else 60.0


def selected(thing: Object, query: Mapping[str, str]) -> bool:
    """Whether an object matches the selectors of a query."""
    labels = thing["metadata"].get("labels") or {}
    terms = re.split(r",(?![^(]*\))", query["labelSelector"]) if query.get("labelSelector") else []
    fields = query["fieldSelector"].split(",") if query.get("fieldSelector") else []
    return all(_term(term.strip(), labels) for term in terms) and all(_field(term, thing) for term in fields)


def _term(term: str, labels: Mapping[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
        values = [one.strip() for one in found[3].split(",")]
        return (labels.get(found[1]) in values) is (found[2] == "in")
    if "!=" in term:
        key, value = term.split("!=")
        return labels.get(key) != value
    if "=" in term:
        key, value = term.replace("==", "=").split("=")
        return labels.get(key) == value
    return term[1:] not in labels if term.startswith("!") else term in labels


def _field(term: str, thing: Any) -> bool:
    path, unequal, value = re.split(r"(!?)==?", term)
    # An Event's source can be selected by its component alone.
    path = "source.component" if path == "source" else path
    for step in path.split("."):
        thing = thing.get(step) if isinstance(thing, dict) else None
    return (str(thing or "") == value) is not bool(unequal)
