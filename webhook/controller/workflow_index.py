"""Workflows by the placement they carry, as a cluster's watch last saw them."""

import threading
from collections.abc import Callable

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, Listener
from webhook.kube.resources import WORKFLOWS
from webhook.model.objects import Object


class WorkflowIndex:
    """One watch of Workflows and, for each placement, those that carry it: a copy may carry it too."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        placement_of: Callable[[Object], str | None],
        changed: Callable[[str, Object], None],
        selector: str = "",
        also: Listener = lambda _workflow, _gone: None,
    ) -> None:
        """`changed` hears of a placement and who carries it; `also` of every Workflow, with a placement or without."""
        self._placement_of, self._changed, self._also = placement_of, changed, also
        self._by_placement: dict[str, dict[str, Object]] = {}
        self._placement_by_uid: dict[str, str] = {}
        self._lock = threading.Lock()
        self.informer = Informer(cluster, WORKFLOWS, self.note, selector=selector)

    def carrying(self, placement: str) -> list[Object]:
        """Every Workflow that carries `placement`."""
        with self._lock:
            return list(self._by_placement.get(placement, {}).values())

    def placements(self) -> set[str]:
        """Every placement that some Workflow carries."""
        with self._lock:
            return set(self._by_placement)

    def all(self) -> dict[str, list[Object]]:
        """Every Workflow that carries a placement, by placement."""
        with self._lock:
            return {placement: list(carrying.values()) for placement, carrying in self._by_placement.items()}

    def note(self, workflow: Object, gone: bool) -> None:
        """Take note of a change, and tell of every placement it concerns. Called in the watch's own thread."""
        uid, placement = str(workflow["metadata"]["uid"]), self._placement_of(workflow)
        with self._lock:
            before = self._drop(uid)
            if placement is not None and not gone:
                self._by_placement.setdefault(placement, {})[uid] = workflow
                self._placement_by_uid[uid] = placement
        # Somebody may have changed or removed the mark: then the placement before is concerned too.
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
