"""Steps about the run: creating it, recording its end, removing it, and waiting for its target."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Histogram

from webhook.controller.copies import Copies
from webhook.controller.create import adopt, create_run, find_run, has_placement_labels
from webhook.controller.facts import is_current_run
from webhook.controller.origin_status.by_hold import away_patch, outcome_of, running_patch
from webhook.controller.origin_status.made import with_made
from webhook.controller.patch import patch_origin
from webhook.controller.plan import Facts, Step, Then
from webhook.controller.remove import remove_finalizer, remove_run
from webhook.controller.targets import Targets
from webhook.controller.template_names import in_own_words, own_names
from webhook.errors import (
    NamespaceGoes,
    NodesUnknown,
    NotAccepted,
    NotAllowed,
    NotPermitted,
    NotThere,
    QuotaExceeded,
    Rejected,
)
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.finalizers import block_deletion, is_deletion_ongoing
from webhook.model.objects import Metadata, Object, spec_of, status_of
from webhook.model.run import Original, run_labels
from webhook.model.subworkflows import ended
from webhook.scout.placer import CLOSED, FULL, UNREAD, Pause

log = structlog.get_logger(__name__)

_DISPATCH = Histogram(
    "medea_accepted_to_run_seconds",
    "From the moment a placement was written to the moment its run was known to exist",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)

_PASSING = (QuotaExceeded, NodesUnknown, NotAccepted, NotPermitted, NotAllowed, NotThere)
"""What a target may answer otherwise later. It is the namespace that is not there when something is created in it."""


@dataclass
class _Nodes:
    """Places a run's steps on nodes, and remembers what it did. The run may be there already, and then says nothing."""

    targets: Targets
    words: str = ""

    def place(self, target: str, original: Original) -> tuple[Original, str]:
        """See `Targets.on_nodes`."""
        placed, where = self.targets.on_nodes(target, original)
        self.words = f"; nodes: {where}" if where else ""
        return placed, where


@dataclass
class TargetSteps:
    """Each step takes the facts and returns what follows. Steps raise any error of a cluster or the ledger."""

    front: Cluster
    targets: Targets
    pool: Pool
    recorder: EventRecorder
    room_came_free: Callable[[], None]
    leave_out: Callable[[str, str, Pause], None]
    """Called with a namespace and a target that takes nothing there for now."""
    not_accepted_by: Callable[[str, str], None]
    """Called with a namespace and a target that accepts nothing from it."""
    not_permitted_by: Callable[[Placement, str, str], None]
    """Called with a placement, a target that permits it nothing of its submitter's, and why."""
    copies: Copies

    def acts(self) -> dict[Step, Callable[[Facts], Then]]:
        """The function for each step."""
        return {
            Step.CREATE: self._create,
            Step.REQUEUE: self._requeue,
            Step.RECORD_END: self._record_end,
            Step.CHECK_RUN: self._check_run,
            Step.LET_RUN_GO: self._let_run_go,
            Step.REMOVE: self._remove,
            Step.WAIT_FOR_TARGET: self._wait_for_target,
        }

    def _create(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None and row.cluster is not None
        target, original = self.targets.get(row.cluster), placements.original(self.pool, row.placement)
        if original is None:
            return self._without_original(target, row)
        steered = as_steered(original["workflow"], facts.origin)
        nodes = _Nodes(self.targets)
        try:
            run: Original = {**original, "workflow": steered}
            created = create_run(self.pool, self.targets.creator(row), row, run, self.copies, nodes.place)
        except (Rejected, NotAllowed) as error:
            return self._refused(facts, error)
        if created is not None and created.dispatched_at is not None:
            _DISPATCH.observe((created.dispatched_at - (created.placed_at or created.created_at)).total_seconds())
            if facts.origin:
                words = f"run {created.run_name} exists on {created.cluster}{nodes.words}"
                self.recorder.record(facts.origin, "Dispatched", words)
                patch = running_patch(facts.origin, created, None)
                if patch:
                    # A patch that is not answered may be carried out much later, when the end is shown already.
                    patch_origin(self.front, facts.origin, patch)
        return Then.WAIT

    def _without_original(self, target: Cluster, row: Placement) -> Then:
        """What was to run is lost, so only a run that an earlier attempt has created can go on."""
        run = find_run(target, row) if row.run_name else None
        if run is not None:
            adopt(self.pool, row, run)
            return Then.GO_ON
        message = "Lost: it waited for its run, and only the ledger knew what was to run. Submit it again."
        log.error("original lost", placement=row.placement, workflow=row.name)
        placements.ended(self.pool, row.placement, run_uid=None, phase="Error", message=message, outcome={})
        self.room_came_free()
        return Then.GO_ON

    def _refused(self, facts: Facts, error: Rejected | NotAllowed) -> Then:
        """Back to the queue: without this target for good, or only while it has no room or lets nothing in."""
        row = facts.row
        assert row is not None and row.cluster is not None
        log.warning("run refused", cluster=row.cluster, placement=row.placement, reason=error.message)
        words = f"{row.cluster}: {error.message}"
        if isinstance(error, _PASSING):
            self._leave_out(row, row.cluster, error)
            moved = placements.no_room_on_target(self.pool, row.placement, cluster=row.cluster, words=words)
        else:
            moved = placements.refused_by_target(self.pool, row.placement, error.message, cluster=row.cluster)
        if moved and facts.origin:
            self.recorder.record(facts.origin, "RefusedByTarget", words, warning=True)
        self.room_came_free()
        return Then.GO_ON

    def _leave_out(self, row: Placement, target: str, error: Rejected | NotAllowed) -> None:
        """Place nothing there until the target's answer may be another one."""
        namespace = row.namespace
        if isinstance(error, QuotaExceeded):
            self.leave_out(namespace, target, FULL)
            return
        if isinstance(error, NodesUnknown):
            self.leave_out(namespace, target, UNREAD)
            return
        if isinstance(error, NotPermitted):
            self.not_permitted_by(row, target, error.message)
            return
        self.not_accepted_by(namespace, target)
        if isinstance(error, (NotAllowed, NamespaceGoes, NotThere)):
            # A right on templates, or the namespace. Where that alone is missing, the target soon says again that it
            # accepts Workflows.
            self.leave_out(namespace, target, CLOSED)

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
            message = in_own_words(said, own_names(run)) if isinstance(said, str) else ""
        outcome = outcome_of(with_made(run, facts.made, cluster=row.cluster, over=True), row)
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
        """The informer doesn't have the run: it is gone, or the informer lags, or somebody took its labels off."""
        row = facts.row
        assert row is not None and row.cluster is not None and row.run_name is not None
        target = self.targets.get(row.cluster)
        found = self._run_of(target, row, row.run_name)
        if found is not None:
            if ended(found) or is_deletion_ongoing(found):
                return self._record_end(replace(facts, run=found))
            if not has_placement_labels(found, row):
                self._restore_labels(facts, target, found)
            return Then.WAIT
        message = f"the run {row.run_name} is gone from {row.cluster}, and nobody saw how it ended"
        placements.ended(self.pool, row.placement, run_uid=row.run_uid, phase="Error", message=message, outcome={})
        self.room_came_free()
        return Then.GO_ON

    def _restore_labels(self, facts: Facts, target: Cluster, run: Object) -> None:
        row = facts.row
        assert row is not None
        metadata: Metadata = run["metadata"]
        marks = run_labels(row.placement, origin_name=str(row.name), origin_uid=str(row.origin_uid))
        patch = {
            "resourceVersion": metadata["resourceVersion"],
            "labels": marks,
            "finalizers": block_deletion(metadata.get("finalizers")),
        }
        target.patch(WORKFLOWS, metadata["namespace"], metadata["name"], {"metadata": patch})
        log.warning("labels restored", cluster=target.name, run=metadata["name"], placement=row.placement)
        if facts.origin:
            words = f"the labels of the run {metadata['name']} on {target.name} were taken off and are back"
            self.recorder.record(facts.origin, "MarksRestored", words, warning=True)

    def _let_run_go(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None and row.cluster is not None
        target = self.targets.get(row.cluster)
        # Without its labels the informer does not have it.
        run = facts.run or self._run_of(target, row, str(row.run_name))
        if run is not None:
            remove_finalizer(target, run)
        placements.run_let_go(self.pool, row.placement, run_uid=row.run_uid)
        return Then.WAIT

    def _remove(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None
        if row.cluster is not None and row.run_name is not None:
            target = self.targets.get(row.cluster)
            run = self._run_of(target, row, row.run_name)
            if run is not None:
                remove_run(target, run, facts.made)
                return Then.WAIT
        removed = placements.deleted(self.pool, row.placement)
        self.room_came_free()
        return Then.GO_ON if removed else Then.WAIT

    def _run_of(self, target: Cluster, row: Placement, name: str) -> Object | None:
        """The run as its target has it; None if it is certainly gone."""
        if row.run_uid is None:
            return find_run(target, row)
        run = target.find(WORKFLOWS, row.namespace, name)
        if run is not None and is_current_run(run, row):
            return run
        target.confirm()
        return None

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
