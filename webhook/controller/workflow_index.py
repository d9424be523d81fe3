"""Workflows by the placement they carry, as a cluster's watch last saw them."""

import threading
from collections.abc import Callable, Mapping

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
        changed: Callable[[str], None],
        selector: str = "",
        also: Listener = lambda _workflow, _gone: None,
    ) -> None:
        """`also` hears of every Workflow, with a placement or without."""
        self._placement_of, self._changed, self._also = placement_of, changed, also
        self._by_placement: dict[str, dict[str, Object]] = {}
        self._lock = threading.Lock()
        self.informer = Informer(cluster, WORKFLOWS, self._note, selector=selector)

    def carrying(self, placement: str) -> list[Object]:
        """Every Workflow that carries `placement`."""
        with self._lock:
            return list(self._by_placement.get(placement, {}).values())

    def placements(self) -> set[str]:
        """Every placement that some Workflow carries."""
        with self._lock:
            return set(self._by_placement)

    def _note(self, workflow: Object, gone: bool) -> None:
        self._also(workflow, gone)
        placement = self._placement_of(workflow)
        if placement is None:
            return
        uid = str(workflow["metadata"]["uid"])
        with self._lock:
            carrying = dict(self._by_placement.get(placement, {}))
            if gone:
                carrying.pop(uid, None)
            else:
                carrying[uid] = workflow
            self._store(placement, carrying)
        self._changed(placement)

    def _store(self, placement: str, carrying: Mapping[str, Object]) -> None:
        if carrying:
            self._by_placement[placement] = dict(carrying)
        else:
            self._by_placement.pop(placement, None)
