"""A browser that shows Argo's UI: it sends the UI's requests to an argo-server, and remembers which ones."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.end_to_end.ui_requests import REQUESTS

_PATIENCE = 300.0
"""Seconds in which a stream must have brought what is waited for; each Workflow has less to do than that."""


@dataclass(frozen=True)
class Answer:
    """An answer's status, and its body: of JSON what it says, else the text."""

    status: int
    body: Any

    def ok(self) -> Any:
        """The body, if all is well."""
        assert self.status == 200, f"{self.status}: {self.body}"
        return self.body


@dataclass
class Browser:
    """A person's browser at an argo-server, in one namespace."""

    server: str
    namespace: str
    asked: set[str] = field(default_factory=set)

    def ask(self, what: str, **place: Any) -> Answer:
        """Send one of the UI's requests; `place` fills what it leaves open."""
        file = REQUESTS[what].path.startswith("artifact-files/")
        with self._send(what, place) as answer:
            return Answer(answer.status_code, answer.text if file else answer.json())

    def reaches(self, what: str, **place: Any) -> int:
        """The status with which a stream begins; nothing of it is waited for."""
        with self._send(what, place, stream=True) as answer:
            return answer.status_code

    def listen(self, what: str, *, patience: float = _PATIENCE, **place: Any) -> Iterator[Any]:
        """What a stream brings, one after another, until it ends by itself or nobody wants more of it."""
        deadline = time.monotonic() + patience
        with self._send(what, place, stream=True) as answer:
            assert answer.status_code == 200, answer.text
            for line in answer.iter_lines(decode_unicode=True):
                # Others keep the connection alive.
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))["result"]
                assert time.monotonic() < deadline, f"{what}: what is waited for did not come ({place})"

    def until(self, what: str, wanted: Callable[[Any], bool], **place: Any) -> list[Any]:
        """What a stream brings up to the first that is wanted, which must come."""
        brought = []
        for one in self.listen(what, **place):
            brought.append(one)
            if wanted(one):
                return brought
        raise AssertionError(f"{what}: the stream ended before what was waited for ({place}): {brought[-1:]}")

    def _send(self, what: str, place: dict[str, Any], *, stream: bool = False) -> requests.Response:
        self.asked.add(what)
        request, place = REQUESTS[what], {"namespace": self.namespace, **place}
        accept = "text/event-stream" if request.streams else "application/json"
        return requests.request(
            request.method,
            f"{self.server}/{_filled(request.path, place)}",
            params={key: _filled(text, place) for key, text in request.query.items()},
            json=_filled(request.body, place),
            headers={"Accept": accept},
            stream=stream,
            timeout=_PATIENCE,
        )


def _filled(value: Any, place: dict[str, Any]) -> Any:
    """With every `{name}` replaced; one that stands alone becomes the value itself, of whatever kind."""
    if isinstance(value, dict):
        return {key: _filled(one, place) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    name = value[1:-1]
    return place[name] if value == f"{{{name}}}" and name in place else value.format(**place)
