"""Steps about the run: creating it, recording its end, removing it, and waiting for its target."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Histogram

from webhook.controller.create import create_run, has_placement_labels
from webhook.controller.facts import is_current_run
from webhook.controller.origin_status.by_hold import away_patch, outcome_of, running_patch
from webhook.controller.patch import patch_origin
from webhook.controller.plan import Facts, Step, Then
from webhook.controller.remove import remove_finalizer, remove_run
from webhook.controller.targets import Targets
from webhook.errors import NotAccepted, QuotaExceeded, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.objects import Object, spec_of, status_of
from webhook.model.run import Original
from webhook.model.subworkflows import ended

log = structlog.get_logger(__name__)

_DISPATCH = Histogram(
    "medea_accepted_to_run_seconds",
    "From the moment a placement was written to the moment its run was known to exist",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


@dataclass
class TargetSteps:
    """Each step takes the facts and returns what follows. Steps raise any error of a cluster or the ledger."""

    front: Cluster
    targets: Targets
    pool: Pool
    recorder: EventRecorder
    room_came_free: Callable[[], None]
    no_room_on: Callable[[str, str], None]
    """Called with a namespace and a target whose object quota is full there."""
    not_accepted_by: Callable[[str, str], None]
    """Called with a namespace and a target that accepts nothing from it."""

    def acts(self) -> dict[Step, Callable[[Facts], Then]]:
        """The function for each step."""
        return {
            Step.CREATE: self._create,
            Step.REQUEUE: self._requeue,
            Step.RECORD_END: self._record_end,
            Step.CHECK_RUN: self._check_run,
            Step.REMOVE_RUN_FINALIZER: self._remove_run_finalizer,
            Step.REMOVE: self._remove,
            Step.WAIT_FOR_TARGET: self._wait_for_target,
        }

    def _create(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None and row.cluster is not None
        original = placements.original(self.pool, row.placement)
        assert original is not None
        try:
            created = create_run(
                self.pool,
                self.targets.get(row.cluster),
                row,
                Original(workflow=as_steered(original["workflow"], facts.origin), templates=original["templates"]),
            )
        except Rejected as error:
            return self._refused(facts, error)
        if created is not None and created.dispatched_at is not None:
            _DISPATCH.observe((created.dispatched_at - (created.placed_at or created.created_at)).total_seconds())
            if facts.origin:
                self.recorder.record(facts.origin, "Dispatched", f"run {created.run_name} exists on {created.cluster}")
                patch = running_patch(facts.origin, created, None)
                if patch:
                    # A patch that is not answered may be carried out much later, when the end is shown already.
                    patch_origin(self.front, facts.origin, patch)
        return Then.WAIT

    def _refused(self, facts: Facts, error: Rejected) -> Then:
        """Back to the queue: without this target for good, or only while it has no room or accepts nothing."""
        row = facts.row
        assert row is not None and row.cluster is not None
        log.warning("run refused", cluster=row.cluster, placement=row.placement, reason=error.message)
        words = f"{row.cluster}: {error.message}"
        if isinstance(error, QuotaExceeded | NotAccepted):
            leave_out = self.no_room_on if isinstance(error, QuotaExceeded) else self.not_accepted_by
            leave_out(row.namespace, row.cluster)
            moved = placements.no_room_on_target(self.pool, row.placement, cluster=row.cluster, words=words)
        else:
            moved = placements.refused_by_target(self.pool, row.placement, error.message, cluster=row.cluster)
        if moved and facts.origin:
            self.recorder.record(facts.origin, "RefusedByTarget", words, warning=True)
        self.room_came_free()
        return Then.GO_ON

    def _requeue(self, facts: Facts) -> Then:
        row, away = facts.row, facts.away
        assert row is not None and away is not None
        if placements.requeued(self.pool, row.placement, reason=away.words) is None:
            return Then.WAIT_FOR_TARGET
        log.info("back to the queue", placement=row.placement, cluster=row.cluster, reason=away.words)
        if facts.origin:
            self.recorder.record(facts.origin, "Queued", f"{away.words}; going elsewhere", warning=True)
        self.room_came_free()
        return Then.GO_ON

    def _record_end(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None and row.cluster is not None and facts.run is not None
        name = facts.run["metadata"]["name"]
        # The informer may lag, and still show the end from before a retry.
        fresh = self.targets.get(row.cluster).find(WORKFLOWS, row.namespace, name)
        run = fresh if fresh is not None and is_current_run(fresh, row) else facts.run
        phase = ended(run)
        if phase is None and not is_deletion_ongoing(run):
            return Then.WAIT
        said = status_of(run).get("message")
        message = f"the run was deleted on {row.cluster} before it had ended"
        if phase:
            message = said if isinstance(said, str) else ""
        outcome = outcome_of(run, row)
        placements.ended(
            self.pool,
            row.placement,
            run_uid=row.run_uid,
            phase=phase or "Error",
            message=message or None,
            outcome=outcome,
        )
        self.room_came_free()
        return Then.GO_ON

    def _check_run(self, facts: Facts) -> Then:
        """The informer doesn't have the run. Ask the target itself, since informers may lag."""
        row = facts.row
        assert row is not None and row.cluster is not None and row.run_name is not None
        found = self.targets.get(row.cluster).find(WORKFLOWS, row.namespace, row.run_name)
        if found is not None and is_current_run(found, row):
            return Then.WAIT
        message = f"the run {row.run_name} is gone from {row.cluster}, and nobody saw how it ended"
        placements.ended(self.pool, row.placement, run_uid=row.run_uid, phase="Error", message=message, outcome={})
        self.room_came_free()
        return Then.GO_ON

    def _remove_run_finalizer(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.row.cluster is not None and facts.run is not None
        remove_finalizer(self.targets.get(facts.row.cluster), facts.run)
        return Then.WAIT

    def _remove(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None
        if row.cluster is not None and row.run_name is not None:
            target = self.targets.get(row.cluster)
            run = target.find(WORKFLOWS, row.namespace, row.run_name)
            if run is not None and has_placement_labels(run, row):
                remove_run(target, run)
                return Then.WAIT
        removed = placements.deleted(self.pool, row.placement)
        self.room_came_free()
        return Then.GO_ON if removed else Then.WAIT

    def _wait_for_target(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None
        live = row.state in (State.RESERVED, State.RUNNING)
        if live and facts.origin is not None and facts.away is not None and facts.away.long:
            patch = away_patch(facts.origin, facts.away.words)
            if patch:
                patch_origin(self.front, facts.origin, patch)
                self.recorder.record(facts.origin, "TargetAway", facts.away.words, warning=True)
        return Then.WAIT_FOR_TARGET


def as_steered(workflow: Object, origin: Object | None) -> Object:
    """The Workflow to run, with its origin's current `suspend`: a person may have changed that while it waited."""
    spec = {key: value for key, value in workflow["spec"].items() if key != "suspend"}
    suspended = bool(spec_of(origin or workflow).get("suspend"))
    return {**workflow, "spec": {**spec, **({"suspend": True} if suspended else {})}}
