"""Reconciles the namespaces that opted in: prepares those with hold `plugin`, and probes those with hold `none`."""

from dataclasses import dataclass

import structlog

from webhook.errors import Refused
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.model.contract import ARGO_COMPLETED, Hold
from webhook.model.deadline import Deadline
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.limits import PREPARE_BUDGET
from webhook.model.objects import Object, labels
from webhook.model.run import origin_placement
from webhook.namespaces.hold import hold_of
from webhook.namespaces.prepare import Prepared
from webhook.namespaces.probe import Probes

log = structlog.get_logger(__name__)


@dataclass
class NamespaceReconciler:
    """Reconciles one namespace at a time. `default` is the hold of those without a label for it."""

    front: Cluster
    origins: Informer
    recorder: EventRecorder
    probes: Probes
    default: Hold

    def __post_init__(self) -> None:
        self._prepared = Prepared(self.front)

    def reconcile(self, namespace: Object) -> None:
        """Create what a namespace's hold needs. Raises any error of the front door."""
        if is_deletion_ongoing(namespace):
            return
        name = namespace["metadata"]["name"]
        hold = self._hold(namespace)
        if hold is Hold.PLUGIN:
            self._prepared.see_to(name, namespace["metadata"]["uid"], Deadline.after(PREPARE_BUDGET))
        elif hold is Hold.NONE:
            writer = self.probes.see_to(name)
            if writer:
                self._warn(name, writer)

    def sweep(self, namespaces: list[Object]) -> None:
        """Remove probes that are no longer needed; `namespaces` are all that have opted in."""
        self.probes.remove_others({one["metadata"]["name"] for one in namespaces if self._hold(one) is Hold.NONE})

    def _hold(self, namespace: Object) -> Hold | None:
        try:
            return hold_of(namespace, self.default)
        except Refused as error:
            # Submissions to this namespace are refused with the same error.
            log.warning("namespace not tended", reason=error.message)
            return None

    def _warn(self, namespace: str, writer: str) -> None:
        """Record an Event on each unfinished origin: the Argo controller may run it a second time."""
        message = f"{writer} runs Workflows in this namespace, whose hold is none: it may run this one a second time"
        for workflow in self.origins.all():
            living = labels(workflow).get(ARGO_COMPLETED) != "true"
            if workflow["metadata"]["namespace"] == namespace and origin_placement(workflow) and living:
                self.recorder.record(workflow, "ForeignController", message, warning=True)
