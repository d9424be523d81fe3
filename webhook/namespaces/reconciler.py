"""Reconciles the namespaces that opted in: prepares those with hold `plugin`, and probes those with hold `none`."""

from dataclasses import dataclass

import structlog

from webhook.errors import Refused
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.contract import STATE, Hold
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.objects import Object, annotations
from webhook.model.run import origin_placement
from webhook.namespaces.foreign_writes import CONTROLLER, ForeignWrites
from webhook.namespaces.hold import hold_of
from webhook.namespaces.prepare import Preparer
from webhook.namespaces.probe import Probes

log = structlog.get_logger(__name__)
_LIVING = frozenset({"queued", "placed", "running"})


@dataclass
class NamespaceReconciler:
    """Reconciles one namespace at a time. `default` is the hold of those without a label for it."""

    pool: Pool
    origins: Informer
    recorder: EventRecorder
    probes: Probes
    writes: ForeignWrites
    preparer: Preparer
    default: Hold

    def reconcile(self, namespace: Object) -> float | None:
        """Do what a namespace's hold needs. Returns after how many seconds to look again, if there is a reason to.

        Raises any error of the front door.
        """
        if is_deletion_ongoing(namespace):
            return None
        hold = self._hold(namespace)
        if hold is Hold.PLUGIN:
            self.preparer.see_to(namespace)
        return self._keep_quiet(namespace) if hold is Hold.NONE else None

    def sweep(self, namespaces: list[Object]) -> None:
        """Remove what is no longer needed; `namespaces` are all that have opted in.

        A namespace that has opted out keeps what Argo's agents need there for as long as it has origins: they may
        still run, or be retried.
        """
        settled = quiet.settled(self.pool)
        asking = [one for one in namespaces if self._hold(one) is Hold.NONE and one["metadata"]["uid"] not in settled]
        self.probes.remove_others({one["metadata"]["name"] for one in asking})
        quiet.keep_only(self.pool, [one["metadata"]["uid"] for one in namespaces])
        left = self.preparer.prepared() - {one["metadata"]["name"] for one in namespaces}
        if left and self.origins.current:
            for namespace in sorted(left - self._with_origins()):
                self.preparer.clear_up(namespace)

    def _keep_quiet(self, namespace: Object) -> float | None:
        """Find out whether an Argo controller works there: by what one has written, and by a probe."""
        name, uid = namespace["metadata"]["name"], namespace["metadata"]["uid"]
        wrote = self.writes.last(name)
        if wrote is not None and quiet.contradicted(self.pool, uid, CONTROLLER, wrote):
            self._warn(name, CONTROLLER)
        looked = self.probes.see_to(namespace)
        if looked.controller:
            self._warn(name, looked.controller)
        return looked.again

    def _with_origins(self) -> set[str]:
        return {one["metadata"]["namespace"] for one in self.origins.all() if origin_placement(one)}

    def _hold(self, namespace: Object) -> Hold | None:
        try:
            return hold_of(namespace, self.default)
        except Refused as error:
            # Submissions to this namespace are refused with the same error.
            log.warning("namespace not tended", reason=error.message)
            return None

    def _warn(self, namespace: str, writer: str) -> None:
        """Record an Event on each unfinished origin: the two controllers write over each other's status."""
        log.warning("an Argo controller works in a namespace with hold none", namespace=namespace, controller=writer)
        message = (
            f"{writer} runs Workflows in this namespace, whose hold is none: its pods are refused here, but what this "
            "one shows may change to and fro until that controller is stopped"
        )
        for workflow in self.origins.all():
            # Its labels are what the two write over each other.
            living = annotations(workflow).get(STATE) in _LIVING
            if workflow["metadata"]["namespace"] == namespace and origin_placement(workflow) and living:
                self.recorder.record(workflow, "ForeignController", message, warning=True)
