"""A target that keeps WorkflowTemplates, and on which others are busy too."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.kube.client import Cluster

Object = dict[str, Any]


def template(name: str, spec: Object, labels: Object | None = None) -> Object:
    """A WorkflowTemplate."""
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}


class Store:
    """Its objects by name; `before_create` happens once, before the next create."""

    def __init__(self, *objects: Object) -> None:
        self.objects = {one["metadata"]["name"]: one for one in objects}
        self.creates = 0
        self.before_create: Callable[[], None] | None = None

    def put(self, thing: Object) -> None:
        """Somebody else's object is there now."""
        self.objects[thing["metadata"]["name"]] = thing

    def specs(self) -> dict[str, Object]:
        """What is there, by name."""
        return {name: one["spec"] for name, one in self.objects.items()}

    @contextmanager
    def cluster(self) -> Iterator[Cluster]:
        """A client of it."""
        with apiserver(Script(self._answer)) as cluster:
            yield cluster

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "POST":
            self._create(handler)
            return
        name = handler.path.rsplit("/", 1)[-1]
        missing = (404, {"message": "not found", "details": {"name": name}})
        reply(*((200, self.objects[name]) if name in self.objects else missing))(handler)

    def _create(self, handler: BaseHTTPRequestHandler) -> None:
        if self.before_create is not None:
            happens, self.before_create = self.before_create, None
            happens()
        body: Object = json.loads(handler.body)  # type: ignore[attr-defined]
        name = body["metadata"]["name"]
        if name in self.objects:
            reply(409, {"message": "already exists", "details": {"name": name}})(handler)
            return
        self.creates += 1
        self.put(body)
        reply(201, body)(handler)
