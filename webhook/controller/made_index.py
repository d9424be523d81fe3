"""What the runs of one target have made there: an informer of those Workflows, by the uid of the run."""

import threading
from collections.abc import Callable

from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import MADE_BY
from webhook.model.made_workflows import Made, as_made, made_by, slim_made
from webhook.model.objects import Object


class MadeIndex:
    """The Workflows of one target that carry the uid of a run. `changed` is called with that uid and the namespace."""

    def __init__(self, cluster: Cluster, changed: Callable[[str, str], None]) -> None:
        self._changed = changed
        self._by_run: dict[tuple[str, str], dict[str, Made]] = {}
        """By the run's uid and the namespace: the Workflows by their uid."""
        self._run_of: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self.informer = Informer(
            cluster, WORKFLOWS, self._note, selector=MADE_BY, keep=slim_made, shown_as="made-workflows"
        )

    def of(self, run: str, namespace: str) -> list[Made]:
        """Those that a run has made in its own namespace, by name.

        Of others nothing is shown: anybody who may create Workflows somewhere on the target could write this label.
        """
        with self._lock:
            found = list(self._by_run.get((run, namespace), {}).values())
        return sorted(found, key=lambda one: one.name)

    def _note(self, workflow: Object, gone: bool) -> None:
        metadata = workflow["metadata"]
        uid, now = str(metadata["uid"]), (made_by(workflow), str(metadata.get("namespace") or ""))
        with self._lock:
            before = self._run_of.pop(uid, None)
            if before is not None:
                del self._by_run[before][uid]
                if not self._by_run[before]:
                    del self._by_run[before]
            if not gone:
                self._run_of[uid] = now
                self._by_run.setdefault(now, {})[uid] = as_made(workflow)
        for run, namespace in {now, before or now}:
            self._changed(run, namespace)
