"""Stops sub-Workflows together with their parents, since Argo does not know what a plugin step has started."""

import threading
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from webhook.errors import NotThere
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import STOPPED
from webhook.model.objects import Metadata, Object
from webhook.model.subworkflows import ended, parent_of, shutdown_with_parent

log = structlog.get_logger(__name__)
_STOPPED = Counter("medea_sub_workflows_stopped_total", "Sub-Workflows stopped because their parent was", ["shutdown"])

CHILD = "child/"
"""Prefix of a sub-Workflow's key in the work queue; namespace and name follow."""
_MANAGER = "medea-steps"
"""Field manager for stopping. Not Medea's usual one, so that the webhook passes the change on to the run as a verb."""


class Subworkflows:
    """Tracks unfinished sub-Workflows. `look` is called with the key of each that may have to be stopped."""

    def __init__(self, front: Cluster, look: Callable[[str], None]) -> None:
        self._front, self._look = front, look
        self._living: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def note(self, workflow: Object, gone: bool) -> None:
        """Note a change of any Workflow at the front door. Called in the informer's thread."""
        parent, key = parent_of(workflow), _key(workflow)
        with self._lock:
            if parent:
                children = self._living.setdefault(parent[1], set())
                children.discard(key)
                if not gone and not ended(workflow):
                    children.add(key)
                if not children:
                    del self._living[parent[1]]
            concerned = [key] if parent else []
            concerned += self._living.get(str(workflow["metadata"]["uid"]), ())
        for one in concerned:
            self._look(one)

    def living(self) -> list[str]:
        """The keys of all unfinished sub-Workflows, for the sweep."""
        with self._lock:
            return [key for children in self._living.values() for key in children]

    def look_at(self, key: str, workflows: Informer) -> None:
        """Stop one if its parent is stopped or has ended. If the parent is gone, Kubernetes deletes it."""
        namespace, _, name = key.removeprefix(CHILD).partition("/")
        child = workflows.get(namespace, name)
        family = parent_of(child) if child else None
        parent = workflows.get(namespace, family[0]) if family else None
        if child is None or family is None or parent is None or parent["metadata"]["uid"] != family[1]:
            return
        shutdown = shutdown_with_parent(child, parent)
        if shutdown:
            self._stop(child, shutdown)
            log.info("stopped with its parent", namespace=namespace, name=name, parent=family[0], shutdown=shutdown)

    def _stop(self, child: Object, shutdown: str) -> None:
        metadata: Metadata = child["metadata"]
        marks = {"uid": metadata["uid"], "annotations": {STOPPED: shutdown}}
        body = {"metadata": marks, "spec": {"shutdown": shutdown}}
        try:
            self._front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], body, manager=_MANAGER)
        except NotThere:
            return
        _STOPPED.labels(shutdown).inc()


def _key(workflow: Object) -> str:
    return f"{CHILD}{workflow['metadata']['namespace']}/{workflow['metadata']['name']}"
