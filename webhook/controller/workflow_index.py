"""An informer of a cluster's Workflows, indexed by the placement they carry."""

import threading
from collections.abc import Callable

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, Key, Listener, without_managed_fields
from webhook.kube.resources import WORKFLOWS
from webhook.model.objects import Object

Version = tuple[str, str]
"""The uid and the resourceVersion of a Workflow."""


def version(workflow: Object) -> Version:
    """A value that changes whenever the Workflow changes."""
    return str(workflow["metadata"]["uid"]), str(workflow["metadata"].get("resourceVersion"))


class WorkflowIndex:
    """One informer of Workflows, and for each placement those that carry it, copies included."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        placement_of: Callable[[Object], str | None],
        changed: Callable[[str, Object], None],
        selector: str = "",
        also: Listener = lambda _workflow, _gone: None,
        keep: Callable[[Object], Object] = without_managed_fields,
    ) -> None:
        """`changed` is called with a placement and the Workflow that carries it; `also` with every Workflow.

        `keep` reduces a Workflow to what stays in memory.
        """
        self._placement_of, self._changed, self._also = placement_of, changed, also
        self._by_placement: dict[str, dict[str, tuple[Key, str]]] = {}
        """By placement and uid: the Workflow's key in the informer, and its last known resourceVersion."""
        self._placement_by_uid: dict[str, str] = {}
        self._lock = threading.Lock()
        self.informer = Informer(cluster, WORKFLOWS, self.note, selector=selector, keep=keep)

    def carrying(self, placement: str) -> list[Object]:
        """Every Workflow that carries `placement`."""
        with self._lock:
            wanted = {uid: key for uid, (key, _) in self._by_placement.get(placement, {}).items()}
        found = [(uid, self.informer.get(*key)) for uid, key in wanted.items()]
        # The name may have been reused by another Workflow that is not in the index yet.
        return [workflow for uid, workflow in found if workflow is not None and workflow["metadata"]["uid"] == uid]

    def carries(self, placement: str) -> bool:
        """Whether any Workflow carries `placement`."""
        with self._lock:
            return placement in self._by_placement

    def placement_of(self, uid: str) -> str | None:
        """The placement that the Workflow with this uid carries; None if it carries none, or is not known."""
        with self._lock:
            return self._placement_by_uid.get(uid)

    def placements(self) -> set[str]:
        """Every placement that a Workflow carries."""
        with self._lock:
            return set(self._by_placement)

    def versions(self) -> dict[str, list[Version]]:
        """The versions of all Workflows that carry a placement, by placement."""
        with self._lock:
            return {
                placement: [(uid, told) for uid, (_, told) in carrying.items()]
                for placement, carrying in self._by_placement.items()
            }

    def note(self, workflow: Object, gone: bool) -> None:
        """Take note of a change, and tell of every placement it concerns. Called in the watch's own thread."""
        uid, told = version(workflow)
        placement = self._placement_of(workflow)
        with self._lock:
            before = self._drop(uid)
            if placement is not None and not gone:
                key = str(workflow["metadata"].get("namespace") or ""), str(workflow["metadata"]["name"])
                self._by_placement.setdefault(placement, {})[uid] = key, told
                self._placement_by_uid[uid] = placement
        # If somebody has changed or removed the mark, the previous placement is concerned too.
        if before is not None and before != placement:
            self._changed(before, workflow)
        if placement is not None:
            self._changed(placement, workflow)
        # Last: a Workflow that makes no sense to others is known here all the same.
        self._also(workflow, gone)

    def _drop(self, uid: str) -> str | None:
        """Forget a Workflow; returns the placement that it carried."""
        placement = self._placement_by_uid.pop(uid, None)
        if placement is not None:
            del self._by_placement[placement][uid]
            if not self._by_placement[placement]:
                del self._by_placement[placement]
        return placement
