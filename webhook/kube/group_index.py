"""An informer of a kind of object, indexed by group, such as the Workflow or the placement they belong to."""

import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, Key
from webhook.kube.resources import Resource
from webhook.model.objects import Metadata, Object


class GroupIndex:
    """One informer, and the objects of each group. An object changes its group when somebody changes its labels."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Resource,
        *,
        group_of: Callable[[Object], str],
        changed: Callable[[str], None],
        **selection: Any,
    ) -> None:
        """`changed` is called with the group of each object that changes; `selection` is passed on to the informer."""
        self._group_of, self._changed = group_of, changed
        self._groups: dict[str, dict[str, Key]] = {}
        """By group and uid: the object's key in the informer."""
        self._group_by_uid: dict[str, str] = {}
        self._lock = threading.Lock()
        self.informer = Informer(cluster, kind, self._note, **selection)

    def of(self, group: str, *, most: int | None = None) -> list[Object]:
        """The objects of a group; with `most`, no more than so many, those that have not changed for longest."""
        with self._lock:
            wanted = dict(islice(self._groups.get(group, {}).items(), most))
        found = [(uid, self.informer.get(*key)) for uid, key in wanted.items()]
        # The name may have been reused by another object that is not in the index yet.
        return [thing for uid, thing in found if thing is not None and str(thing["metadata"]["uid"]) == uid]

    def groups(self) -> list[str]:
        """Every group that has objects."""
        with self._lock:
            return list(self._groups)

    def _note(self, thing: Object, gone: bool) -> None:
        metadata: Metadata = thing["metadata"]
        group, uid = self._group_of(thing), str(metadata["uid"])
        with self._lock:
            before = self._group_by_uid.pop(uid, group)
            self._leave(before, uid)
            if not gone:
                self._groups.setdefault(group, {})[uid] = str(metadata.get("namespace") or ""), str(metadata["name"])
                self._group_by_uid[uid] = group
        for concerned in {before, group}:
            self._changed(concerned)

    def _leave(self, group: str, uid: str) -> None:
        members = self._groups.get(group, {})
        members.pop(uid, None)
        if not members:
            self._groups.pop(group, None)
