"""As much of the Kubernetes API as Medea asks of a target, for one edge.

Objects of any kind are kept; what a real cluster would do with them is left out, but for finalizers.
"""

import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.edges.selectors import selected
from webhook.edges.store import Key, Store
from webhook.kube.resources import NAMESPACES, RESOURCE_QUOTAS, WORKFLOWS
from webhook.model.deadline import utc_now
from webhook.model.moments import written
from webhook.model.objects import Object, mapping

VERSION = "v1.35.4"
_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>status))?"
)
_ARGO = ("workflows", "workflowtemplates", "clusterworkflowtemplates", "cronworkflows", "workflowtasksets",
         "workflowtaskresults", "workflowartifactgctasks", "workfloweventbindings")  # fmt: skip


class Failure(Exception):
    """An answer that is none: the code, Kubernetes' reason, and a message."""

    def __init__(self, code: int, reason: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            **({"details": {"name": name}} if name else {}),
        }


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    body: Any


@dataclass(frozen=True)
class Watch:
    """What a watch is about: changes of a kind after `version`."""

    plural: str
    namespace: str | None
    version: int
    labels: str
    fields: str
    seconds: float | None = None
    """For how long its client wants it."""

    def wants(self, thing: Object) -> bool:
        """Whether it is about this object."""
        inside = self.namespace is None or thing["metadata"].get("namespace") == self.namespace
        return inside and selected(thing, self.labels, self.fields)


@dataclass(frozen=True)
class Edge:
    """An edge, and what is in it from the beginning: namespaces, each with a quota of so many cores and GiB."""

    name: str
    store: Store
    namespaces: tuple[str, ...]
    cores: int
    gibibytes: int

    def furnish(self) -> None:
        """Make what is not there yet."""
        for namespace in ("kube-system", *self.namespaces):
            key = Key(self.name, NAMESPACES.plural, "", namespace)
            if self.store.get(key) is None:
                self.store.put(key, _made("v1", "Namespace", {"name": namespace}))
        hard = {"limits.cpu": str(self.cores), "limits.memory": f"{self.gibibytes}Gi"}
        for namespace in self.namespaces:
            key = Key(self.name, RESOURCE_QUOTAS.plural, namespace, "edge")
            if self.store.get(key) is None:
                quota = _made("v1", "ResourceQuota", {"name": "edge", "namespace": namespace})
                used = {"limits.cpu": "0", "limits.memory": "0"}
                self.store.put(key, {**quota, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}})

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Object) -> Answer | Watch:
        """The answer to a request. Raises Failure."""
        if method == "GET" and path in ("/readyz", "/livez", "/healthz"):
            return Answer(200, "ok")
        if method == "GET" and path == "/version":
            return Answer(200, {"gitVersion": VERSION})
        if method == "GET" and path == f"/apis/{WORKFLOWS.api_version}":
            return Answer(200, {"resources": [{"name": one} for one in _ARGO]})
        match = _PATH.fullmatch(path)
        if match is None:
            raise Failure(404, "NotFound", "the server could not find the requested resource")
        if match["plural"].endswith("reviews"):
            return Answer(201, _review(match["plural"], body))
        return self._about(method, match, query, body)

    def _about(self, method: str, match: re.Match[str], query: Mapping[str, str], body: Object) -> Answer | Watch:
        plural, namespace, name = match["plural"], match["namespace"], match["name"]
        if method == "GET" and name is None:
            return self._watch(plural, namespace, query) if query.get("watch") else self._list(plural, namespace, query)
        if method == "POST" and name is None:
            return Answer(201, self._create(plural, namespace or "", body, dry_run="dryRun" in query))
        if name is None:
            raise Failure(405, "MethodNotAllowed", f"{method} is not allowed here")
        key = Key(self.name, plural, namespace or "", name)
        with self.store.change():
            found = self.store.get(key)
            if found is None:
                raise Failure(404, "NotFound", f'{plural} "{name}" not found', name)
            if method == "GET":
                return Answer(200, found)
            if method == "DELETE":
                return Answer(200, self._delete(key, found, body))
            if method in ("PATCH", "PUT"):
                return Answer(200, self._write(key, found, merged(found, body) if method == "PATCH" else body, body))
        raise Failure(405, "MethodNotAllowed", f"{method} is not allowed here")

    def _list(self, plural: str, namespace: str | None, query: Mapping[str, str]) -> Answer:
        version = self.store.version
        wanted = Watch(plural, namespace, 0, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        items = [one for one in self.store.all(self.name, plural, namespace) if wanted.wants(one)]
        return Answer(200, {"kind": "List", "metadata": {"resourceVersion": str(version)}, "items": items})

    def _watch(self, plural: str, namespace: str | None, query: Mapping[str, str]) -> Watch:
        text = query.get("resourceVersion", "")
        version = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else self.store.version
        asked = query.get("timeoutSeconds", "")
        seconds = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else None
        selectors = query.get("labelSelector", ""), query.get("fieldSelector", "")
        return Watch(plural, namespace, version, *selectors, seconds)

    def _create(self, plural: str, namespace: str, body: Object, *, dry_run: bool) -> Object:
        metadata = mapping(body.get("metadata"))
        name = metadata.get("name")
        if not name:
            name = f"{metadata.get('generateName', 'x-')}{''.join(random.choices('bcdfghjklmnpqrstvwxz', k=5))}"
        if plural == WORKFLOWS.plural and namespace not in self.namespaces:
            raise Failure(404, "NotFound", f'namespaces "{namespace}" not found', namespace)
        key = Key(self.name, plural, namespace, str(name))
        made = {**body, "metadata": {**metadata, "name": str(name), "creationTimestamp": now_text()}}
        if namespace:
            made["metadata"]["namespace"] = namespace
        with self.store.change():
            if self.store.get(key) is not None:
                raise Failure(409, "AlreadyExists", f'{plural} "{name}" already exists', str(name))
            if dry_run:
                return {**made, "metadata": {**made["metadata"], "uid": str(uuid.uuid4())}}
            return self.store.put(key, made)

    def _write(self, key: Key, found: Object, new: Object, body: Object) -> Object:
        wanted, there = mapping(body.get("metadata")), found["metadata"]
        for field in ("resourceVersion", "uid"):
            if wanted.get(field) not in (None, there.get(field)):
                message = f'Operation cannot be fulfilled on {key.plural} "{key.name}": the object has been modified'
                raise Failure(409, "Conflict", message, key.name)
        kept = {one: there[one] for one in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
                if one in there}  # fmt: skip
        new = {**new, "metadata": {**mapping(new.get("metadata")), **kept}}
        if "deletionTimestamp" in there and not new["metadata"].get("finalizers"):
            self.store.remove(key)
            return new
        return self.store.put(key, new)

    def _delete(self, key: Key, found: Object, body: Object) -> Object:
        wanted = mapping(body.get("preconditions"))
        for field in ("uid", "resourceVersion"):
            if wanted.get(field) not in (None, found["metadata"].get(field)):
                raise Failure(409, "Conflict", f"Precondition failed: {field} in precondition", key.name)
        if found["metadata"].get("finalizers"):
            metadata = {"deletionTimestamp": now_text(), **found["metadata"]}
            self.store.put(key, {**found, "metadata": metadata})
        else:
            self.store.remove(key)
        return {"kind": "Status", "status": "Success"}


def merged(old: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def now_text() -> str:
    """The time, as Kubernetes writes it."""
    return written(utc_now())


def _made(api_version: str, kind: str, metadata: Object) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, "creationTimestamp": now_text()}}


def _review(plural: str, body: Object) -> Object:
    """Who has the edge's token may do everything."""
    status: Object = {"userInfo": {"username": "medea"}} if plural == "selfsubjectreviews" else {"allowed": True}
    return {**body, "status": status}
