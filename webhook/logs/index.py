"""An informer of a cluster's pods, indexed by group, such as the Workflow or the placement they belong to."""

import threading
from collections.abc import Callable

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import PODS
from webhook.logs.pods import slim
from webhook.model.objects import Object


class PodIndex:
    """One informer of pods, and the pods of each group. A pod changes its group when somebody changes its labels."""

    def __init__(
        self, cluster: Cluster, *, selector: str, group_of: Callable[[Object], str], changed: Callable[[str], None]
    ) -> None:
        self._group_of, self._changed = group_of, changed
        self._groups: dict[str, dict[str, Object]] = {}
        self._group_by_uid: dict[str, str] = {}
        self._lock = threading.Lock()
        self.informer = Informer(cluster, PODS, self._note, selector=selector, keep=slim)

    def of(self, group: str) -> list[Object]:
        """The pods of a group."""
        with self._lock:
            return list(self._groups.get(group, {}).values())

    def groups(self) -> list[str]:
        """Every group that has pods."""
        with self._lock:
            return list(self._groups)

    def _note(self, pod: Object, gone: bool) -> None:
        group, uid = self._group_of(pod), str(pod["metadata"]["uid"])
        with self._lock:
            before = self._group_by_uid.pop(uid, group)
            self._leave(before, uid)
            if not gone:
                self._groups.setdefault(group, {})[uid] = pod
                self._group_by_uid[uid] = group
        for concerned in {before, group}:
            self._changed(concerned)

    def _leave(self, group: str, uid: str) -> None:
        members = self._groups.get(group, {})
        members.pop(uid, None)
        if not members:
            self._groups.pop(group, None)
