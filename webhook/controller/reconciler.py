"""Brings one placement nearer to the truth: gather what is known, plan one step, take it, until none is left."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Histogram

from webhook.controller.agents import dismiss_agent
from webhook.controller.create import create_run, has_placement_labels
from webhook.controller.facts import Gatherer, is_current_run
from webhook.controller.origin_status.by_hold import away_patch, final_patch, outcome_of, running_patch
from webhook.controller.plan import Facts, Step, Then, deleted_copies, is_at_rest, plan
from webhook.controller.remove import remove_finalizer, remove_run
from webhook.controller.resting import Rest, Wait
from webhook.controller.targets import Targets
from webhook.controller.verbs import VerbExecutor
from webhook.errors import MedeaError, QuotaExceeded, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold, State
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.limits import MOST_STEPS
from webhook.model.objects import Object, spec_of, status_of
from webhook.model.run import Original
from webhook.model.subworkflows import ended

log = structlog.get_logger(__name__)

_STEPS = Counter("medea_steps_total", "Steps taken", ["step"])
_DISPATCH = Histogram(
    "medea_accepted_to_run_seconds",
    "From the moment a placement was written to the moment its run was known to exist",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


@dataclass
class Reconciler:
    """Takes the steps that `plan` asks for on the facts that `gatherer` finds."""

    front: Cluster
    targets: Targets
    pool: Pool
    gatherer: Gatherer
    room_came_free: Callable[[], None]
    no_room_on: Callable[[str, str], None]
    """Told of a namespace and of a target that has no room for more objects in it now."""
    recorder: EventRecorder
    verbs: VerbExecutor
    _acts: dict[Step, Callable[["Reconciler", Facts], Then]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._acts = {
            Step.BIND: Reconciler._bind,
            Step.SHOW_QUEUED: Reconciler._mirror,
            Step.CREATE: Reconciler._create,
            Step.REQUEUE: Reconciler._requeue,
            Step.MIRROR: Reconciler._mirror,
            Step.RECORD_END: Reconciler._record_end,
            Step.CHECK_RUN: Reconciler._check_run,
            Step.APPLY_VERBS: Reconciler._apply_verbs,
            Step.FINISH: Reconciler._finish,
            Step.REMOVE_RUN_FINALIZER: Reconciler._remove_run_finalizer,
            Step.MARK_DELETING: Reconciler._mark_deleting,
            Step.REMOVE: Reconciler._remove,
            Step.REMOVE_FINALIZER: Reconciler._remove_finalizer,
            Step.WAIT_FOR_TARGET: Reconciler._wait_for_target,
        }

    def reconcile(self, placement: str) -> Rest:
        """Take steps until none is left, or the next one has to wait. Raises what a step raises."""
        facts, then = self.gatherer.gather(placement), Then.GO_ON
        failed = self._tidy(facts)
        for _ in range(MOST_STEPS):
            step = plan(facts)
            if step is Step.NOTHING:
                break
            _STEPS.labels(step).inc()
            log.debug("step", step=step, placement=placement)
            then = self._acts[step](self, facts)
            if then is not Then.GO_ON:
                break
            facts = self.gatherer.gather(placement)
        if failed:
            raise failed[0]
        if then is Then.WAIT_FOR_TARGET and facts.row and facts.away:
            return Rest(waits_for=Wait(str(facts.row.cluster), facts.away.long))
        return Rest(version=facts.version if is_at_rest(facts) else None)

    def _tidy(self, facts: Facts) -> list[MedeaError]:
        """Remove strays and let copies go, each by itself: none of them may keep the placement waiting."""
        failed: list[MedeaError] = []
        for cluster, run in facts.strays:
            try:
                remove_run(self.targets.get(cluster), run)
                log.warning("stray run removed", cluster=cluster, run=run["metadata"]["name"])
            except MedeaError as error:
                failed.append(error)
        for copy in deleted_copies(facts):
            try:
                remove_finalizer(self.front, copy)
            except MedeaError as error:
                failed.append(error)
        return failed

    def _bind(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.origin is not None
        metadata = facts.origin["metadata"]
        bound = placements.bind(
            self.pool,
            facts.row.placement,
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
        )
        if bound is None:
            log.info("a copy carries this placement", placement=facts.row.placement, workflow=metadata["name"])
            return Then.WAIT
        if bound.state is State.QUEUED:
            self.recorder.record(facts.origin, "Queued", str(bound.reason))
            self.room_came_free()
        else:
            self.recorder.record(facts.origin, "Placed", f"on {bound.reason} (needs {bound.totals})")
        return Then.GO_ON

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
            patch = running_patch(facts.origin, created, None) if facts.origin else {}
            if patch:
                self.front.patch(WORKFLOWS, created.namespace, str(created.name), patch)
        return Then.WAIT

    def _refused(self, facts: Facts, error: Rejected) -> Then:
        """Back to the queue: with the target out of the question, or only for a while where its quota is full."""
        row = facts.row
        assert row is not None and row.cluster is not None
        log.warning("run refused", cluster=row.cluster, placement=row.placement, reason=error.message)
        words = f"{row.cluster}: {error.message}"
        if isinstance(error, QuotaExceeded):
            self.no_room_on(row.namespace, row.cluster)
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

    def _wait_for_target(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None
        live = row.state in (State.RESERVED, State.RUNNING)
        if live and facts.origin is not None and facts.away is not None and facts.away.long:
            patch = away_patch(facts.origin, facts.away.words)
            if patch:
                self._patch_origin(facts.origin, patch)
                self.recorder.record(facts.origin, "TargetAway", facts.away.words, warning=True)
        return Then.WAIT_FOR_TARGET

    def _apply_verbs(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.origin is not None
        return self.verbs.apply(facts.row, facts.origin)

    def _mirror(self, facts: Facts) -> Then:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        patch = running_patch(origin, row, facts.run)
        if patch:
            self._patch_origin(origin, patch)
        return Then.WAIT_FOR_TARGET if facts.away else Then.WAIT

    def _record_end(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None and row.cluster is not None and facts.run is not None
        name = facts.run["metadata"]["name"]
        # The watch may lag behind a retry, and still show the end from before it.
        fresh = self.targets.get(row.cluster).find(WORKFLOWS, row.namespace, name)
        run = fresh if fresh is not None and is_current_run(fresh, row) else facts.run
        phase = ended(run)
        if phase is None and not is_deletion_ongoing(run):
            return Then.WAIT
        status = status_of(run)
        message = status.get("message") if phase else f"the run was deleted on {row.cluster} before it had ended"
        outcome = outcome_of(run, row)
        placements.ended(
            self.pool,
            row.placement,
            run_uid=row.run_uid,
            phase=phase or "Error",
            message=message,
            outcome=outcome,
        )
        self.room_came_free()
        return Then.GO_ON

    def _check_run(self, facts: Facts) -> Then:
        """The watch doesn't show the run: ask the target itself, since a watch may lag."""
        row = facts.row
        assert row is not None and row.cluster is not None and row.run_name is not None
        found = self.targets.get(row.cluster).find(WORKFLOWS, row.namespace, row.run_name)
        if found is not None and is_current_run(found, row):
            return Then.WAIT
        message = f"the run {row.run_name} is gone from {row.cluster}, and nobody saw how it ended"
        placements.ended(self.pool, row.placement, run_uid=row.run_uid, phase="Error", message=message, outcome={})
        self.room_came_free()
        return Then.GO_ON

    def _finish(self, facts: Facts) -> Then:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        patch = final_patch(origin, row, placements.outcome(self.pool, row.placement), facts.run)
        if patch:
            self._patch_origin(origin, patch)
        if row.hold is Hold.PLUGIN:
            dismiss_agent(self.front, row)
        placements.end_shown(self.pool, row.placement, run_uid=row.run_uid)
        self.recorder.record(origin, "Ended", f"{row.phase} on {row.cluster}: {row.message or 'no message'}")
        return Then.GO_ON

    def _remove_run_finalizer(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.row.cluster is not None and facts.run is not None
        remove_finalizer(self.targets.get(facts.row.cluster), facts.run)
        return Then.WAIT

    def _mark_deleting(self, facts: Facts) -> Then:
        assert facts.row is not None
        return Then.GO_ON if placements.deleting(self.pool, facts.row.placement) else Then.WAIT

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

    def _remove_finalizer(self, facts: Facts) -> Then:
        assert facts.origin is not None
        remove_finalizer(self.front, facts.origin)
        return Then.WAIT

    def _patch_origin(self, origin: Object, patch: Object) -> None:
        """Patch the very version that was looked at, so that nothing Argo has written since is overwritten."""
        metadata = origin["metadata"]
        patch = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": metadata["resourceVersion"]}}
        self.front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)


def as_steered(workflow: Object, origin: Object | None) -> Object:
    """The Workflow to run, suspended or not as its origin is by now: it may have been steered while it waited."""
    spec = {key: value for key, value in workflow["spec"].items() if key != "suspend"}
    suspended = bool(spec_of(origin or workflow).get("suspend"))
    return {**workflow, "spec": {**spec, **({"suspend": True} if suspended else {})}}
