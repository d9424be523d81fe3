"""Objects as an apiserver keeps them: versions, history, finalizers, owners."""

import copy
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.fake_clock import FakeClock
from tests.support.fake_http import ApiError
from webhook.kube.resources import NAMESPACES, Resource
from webhook.model.objects import Object

_FOREGROUND = "foregroundDeletion"


@dataclass(frozen=True)
class Change:
    """One entry of the history: the object before (None: created) and after (None: gone)."""

    version: int
    time: float
    resource: str
    before: Object | None
    after: Object | None
    user: str = ""

    @property
    def object(self) -> Object:
        """The object, as it was last."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found


Key = tuple[str, str, str]
"""Plural, namespace and name."""


class Store:
    """The objects of one cluster, with everything that was ever done to them; and Kubernetes' own tidying."""

    def __init__(self, name: str, clock: FakeClock, seed: int) -> None:
        self.name, self.clock = name, clock
        self.history: list[Change] = []
        self.compacted = 0
        self._objects: dict[Key, Object] = {}
        self._version = 100
        self._random = random.Random(f"{name} {seed}")

    @property
    def version(self) -> int:
        """The newest resource version."""
        return self._version

    def get(self, kind: Resource, namespace: str | None, name: str) -> Object | None:
        """The object as it is, without a call."""
        return copy.deepcopy(self._objects.get((kind.plural, namespace or "", name)))

    def all(self, kind: Resource, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, without a call."""
        return [copy.deepcopy(one) for one in self._listed(kind.plural, namespace)]

    def look(self, kind: Resource, namespace: str | None = None) -> list[Object]:
        """Likewise, but the very objects that are stored: fast, and only to be read."""
        return self._listed(kind.plural, namespace)

    def put(self, kind: Resource, thing: Object, *, user: str = "test") -> Object:
        """Store an object as it is, without any check: poison too. Fills in what an apiserver would."""
        made = copy.deepcopy(thing)
        metadata = made.setdefault("metadata", {})
        made |= {"apiVersion": kind.api_version, "kind": kind.kind}
        if "name" not in metadata:
            metadata["name"] = metadata.get("generateName", "") + self._letters(5)
        key = (kind.plural, metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        before = self._objects.get(key)
        metadata.setdefault("uid", (before or {}).get("metadata", {}).get("uid") or self._uid())
        metadata.setdefault("creationTimestamp", self.clock.stamp())
        return copy.deepcopy(self._store(key, made, user))

    def change(self, kind: Resource, namespace: str | None, name: str, patch: Object, *, user: str = "test") -> None:
        """Merge-patch an object without any check; what is not there stays so."""
        key = (kind.plural, namespace or "", name)
        if key in self._objects:
            self._update(key, merged(self._objects[key], patch), user)

    def remove(self, kind: Resource, namespace: str | None, name: str, *, user: str = "test") -> None:
        """Delete as somebody with every right: finalizers are respected."""
        key = (kind.plural, namespace or "", name)
        if key in self._objects:
            self._delete(key, {}, user)

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Make a namespace."""
        self.put(NAMESPACES, {"metadata": {"name": name, "labels": dict(labels or {})}})

    def compact(self) -> None:
        """Forget the past: watches from before are answered 410."""
        self.compacted = self._version

    def _listed(self, plural: str, namespace: str | None) -> list[Object]:
        # Tests with threads look while others write.
        objects = self._objects.copy()
        wanted = sorted(key for key in objects if key[0] == plural and (not namespace or key[1] == namespace))
        return [objects[key] for key in wanted]

    def _at(self, version: int) -> dict[Key, Object]:
        """Everything as it was at an older version."""
        objects = dict(self._objects)
        for change in reversed(self.history):
            if change.version <= version:
                break
            key = key_of(change.resource, change.object)
            if change.before is None:
                objects.pop(key, None)
            else:
                objects[key] = change.before
        return objects

    def _update(self, key: Key, new: Object, user: str) -> Object:
        old = self._objects[key]
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            self._drop(key, user)
            return new
        same = {**new, "metadata": _unversioned(new)} == {**old, "metadata": _unversioned(old)}
        return old if same else self._store(key, new, user)

    def _delete(self, key: Key, options: Object, user: str, *, dry_run: bool = False) -> Object:
        old = self._objects[key]
        metadata = old["metadata"]
        version = (options.get("preconditions") or {}).get("resourceVersion")
        if version not in (None, metadata["resourceVersion"]):
            words = f"Precondition failed: ResourceVersion in precondition: {version}"
            raise ApiError(409, "Conflict", words, {"name": key[2], "kind": key[0]})
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted not in (None, metadata["uid"]):
            words = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {metadata['uid']}"
            raise ApiError(409, "Conflict", words, {"name": key[2], "kind": key[0]})
        if dry_run:
            return old
        finalizers = list(metadata.get("finalizers") or [])
        foreground = options.get("propagationPolicy") == "Foreground" and self._owned_by(metadata["uid"])
        if foreground and _FOREGROUND not in finalizers:
            finalizers.append(_FOREGROUND)
        if key[0] == "namespaces" and self._inside(key[2]):
            finalizers.append("kubernetes")
        if not finalizers:
            self._drop(key, user)
        else:
            new = copy.deepcopy(old)
            new["metadata"] |= {"finalizers": list(dict.fromkeys(finalizers)), "deletionGracePeriodSeconds": 0}
            new["metadata"].setdefault("deletionTimestamp", self.clock.stamp())
            self._update(key, new, user)
        self._collect()
        return old

    def _collect(self) -> None:
        """Kubernetes' garbage collector and its namespace controller, done as soon as there is something to do."""
        for key, one in list(self._objects.items()):
            metadata = one["metadata"]
            if key not in self._objects or "deletionTimestamp" not in metadata:
                continue
            if _FOREGROUND in (metadata.get("finalizers") or []):
                for owned in self._owned_by(metadata["uid"]):
                    if "deletionTimestamp" not in self._objects[owned]["metadata"]:
                        self._delete(owned, {"propagationPolicy": "Foreground"}, "garbage-collector")
                if not self._owned_by(metadata["uid"]):
                    self._unblock(key, _FOREGROUND)
            elif key[0] == "namespaces":
                for inner in self._inside(key[2]):
                    if inner in self._objects and "deletionTimestamp" not in self._objects[inner]["metadata"]:
                        self._delete(inner, {}, "namespace-controller")
                if not self._inside(key[2]):
                    self._unblock(key, "kubernetes")

    def _unblock(self, key: Key, finalizer: str) -> None:
        if key not in self._objects:
            return
        new = copy.deepcopy(self._objects[key])
        new["metadata"]["finalizers"] = [one for one in new["metadata"]["finalizers"] if one != finalizer]
        self._update(key, new, "garbage-collector")

    def _owned_by(self, uid: str) -> list[Key]:
        return [key for key, one in self._objects.items() if uid in _owners(one)]

    def _inside(self, namespace: str) -> list[Key]:
        return [key for key in self._objects if key[1] == namespace]

    def _store(self, key: Key, thing: Object, user: str) -> Object:
        self._version += 1
        thing["metadata"]["resourceVersion"] = str(self._version)
        before = self._objects.get(key)
        self._objects[key] = thing
        self.history.append(Change(self._version, self.clock.true_time(), key[0], before, thing, user))
        return thing

    def _drop(self, key: Key, user: str) -> None:
        before = self._objects.pop(key)
        self._version += 1
        self.history.append(Change(self._version, self.clock.true_time(), key[0], before, None, user))
        for owned in self._owned_by(before["metadata"]["uid"]):
            if owned in self._objects:
                self._delete(owned, {"propagationPolicy": "Background"}, "garbage-collector")
        self._collect()

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices("bcdfghjklmnpqrstvwxz2456789", k=count))

    def _uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def merged(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _unversioned(thing: Object) -> Object:
    dropped = ("resourceVersion", "managedFields")
    return {key: value for key, value in thing["metadata"].items() if key not in dropped}


def _owners(thing: Object) -> set[str]:
    owners = thing["metadata"].get("ownerReferences")
    return {str(one.get("uid")) for one in owners if isinstance(one, dict)} if isinstance(owners, list) else set()


def key_of(plural: str, thing: Object) -> Key:
    """Where an object is kept."""
    namespace = "" if plural in ("namespaces", "nodes") else thing["metadata"].get("namespace", "")
    return plural, namespace, thing["metadata"]["name"]
