"""Stops sub-Workflows with their parents: Argo knows nothing of what a plugin step has begun."""

import threading
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from webhook.errors import NotThere
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import STOPPED
from webhook.model.objects import Object
from webhook.model.subworkflows import ended, parent_of, shutdown_with_parent

log = structlog.get_logger(__name__)
_STOPPED = Counter("medea_sub_workflows_stopped_total", "Sub-Workflows stopped because their parent was", ["shutdown"])

CHILD = "child/"
"""Begins the key of a sub-Workflow in the work queue; its namespace and name follow."""
_MANAGER = "medea-steps"
"""Not Medea's usual one: the webhook takes this change on to the run, as it does a person's."""


class Subworkflows:
    """Knows which sub-Workflows live. `look` is called with the key of one that may have to be stopped."""

    def __init__(self, front: Cluster, look: Callable[[str], None]) -> None:
        self._front, self._look = front, look
        self._living: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def note(self, workflow: Object, gone: bool) -> None:
        """Take note of a change of any Workflow at the front door. Called in the watch's own thread."""
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
        """The keys of all that live, for the sweep."""
        with self._lock:
            return [key for children in self._living.values() for key in children]

    def look_at(self, key: str, workflows: Informer) -> None:
        """Stop one if its parent is stopped or has ended; with a parent that is gone, Kubernetes deletes it."""
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
        metadata = child["metadata"]
        marks = {"uid": metadata["uid"], "annotations": {STOPPED: shutdown}}
        body = {"metadata": marks, "spec": {"shutdown": shutdown}}
        try:
            self._front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], body, manager=_MANAGER)
        except NotThere:
            return
        _STOPPED.labels(shutdown).inc()


def _key(workflow: Object) -> str:
    return f"{CHILD}{workflow['metadata']['namespace']}/{workflow['metadata']['name']}"
