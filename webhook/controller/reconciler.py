"""Brings one placement nearer to the truth: gather what is known, plan one step, take it, until none is left."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Histogram

from webhook.controller.agents import dismiss_agent
from webhook.controller.create import create_run, has_placement_labels
from webhook.controller.facts import Gatherer, is_current_run
from webhook.controller.origin_status.by_hold import final_patch, outcome_of, running_patch
from webhook.controller.plan import Facts, Step, plan
from webhook.controller.remove import remove_finalizer, remove_run
from webhook.controller.verbs import VerbExecutor
from webhook.errors import Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold, State
from webhook.model.finalizers import is_deletion_ongoing
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
# No placement needs more steps than there are; this bounds a plan that goes round in circles.
_MOST_STEPS = 12


@dataclass
class Reconciler:
    """Takes the steps that `plan` asks for on the facts that `gatherer` finds."""

    front: Cluster
    registry: Registry
    pool: Pool
    gatherer: Gatherer
    room_came_free: Callable[[], None]
    recorder: EventRecorder
    verbs: VerbExecutor
    _acts: dict[Step, Callable[["Reconciler", Facts], bool]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._acts = {
            Step.BIND: Reconciler._bind,
            Step.REMOVE_STRAYS: Reconciler._remove_strays,
            Step.SHOW_QUEUED: Reconciler._mirror,
            Step.CREATE: Reconciler._create,
            Step.MIRROR: Reconciler._mirror,
            Step.RECORD_END: Reconciler._record_end,
            Step.CHECK_RUN: Reconciler._check_run,
            Step.APPLY_VERBS: Reconciler._apply_verbs,
            Step.FINISH: Reconciler._finish,
            Step.REMOVE_RUN_FINALIZER: Reconciler._remove_run_finalizer,
            Step.MARK_DELETING: Reconciler._mark_deleting,
            Step.REMOVE: Reconciler._remove,
            Step.REMOVE_FINALIZER: Reconciler._remove_finalizer,
            Step.RELEASE_COPIES: Reconciler._release_copies,
        }

    def reconcile(self, placement: str) -> None:
        """Take steps until none is left, or the next one has to wait for an event. Raises what a step raises."""
        for _ in range(_MOST_STEPS):
            facts = self.gatherer.gather(placement)
            step = plan(facts)
            if step is Step.NOTHING:
                return
            _STEPS.labels(step).inc()
            log.debug("step", step=step, placement=placement)
            if not self._acts[step](self, facts):
                return

    def _bind(self, facts: Facts) -> bool:
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
            return False
        if bound.state is State.QUEUED:
            self.recorder.record(facts.origin, "Queued", str(bound.reason))
            self.room_came_free()
        else:
            self.recorder.record(facts.origin, "Placed", f"on {bound.reason} (needs {bound.totals})")
        return True

    def _remove_strays(self, facts: Facts) -> bool:
        for cluster, run in facts.strays:
            log.warning("stray run removed", cluster=cluster, run=run["metadata"]["name"])
            remove_run(self.registry.get(cluster), run)
        return False

    def _create(self, facts: Facts) -> bool:
        row = facts.row
        assert row is not None and row.cluster is not None
        original = placements.original(self.pool, row.placement)
        assert original is not None
        try:
            created = create_run(
                self.pool,
                self.registry.get(row.cluster),
                row,
                Original(workflow=as_steered(original["workflow"], facts.origin), templates=original["templates"]),
            )
        except Rejected as error:
            log.warning("run refused", cluster=row.cluster, placement=row.placement, reason=error.message)
            placements.refused_by_target(self.pool, row.placement, error.message, cluster=row.cluster)
            if facts.origin:
                self.recorder.record(facts.origin, "RefusedByTarget", f"{row.cluster}: {error.message}", warning=True)
            self.room_came_free()
            return True
        if created is not None and created.dispatched_at is not None:
            _DISPATCH.observe((created.dispatched_at - (created.placed_at or created.created_at)).total_seconds())
            if facts.origin:
                self.recorder.record(facts.origin, "Dispatched", f"run {created.run_name} exists on {created.cluster}")
            patch = running_patch(facts.origin, created, None) if facts.origin else {}
            if patch:
                self.front.patch(WORKFLOWS, created.namespace, str(created.name), patch)
        return False

    def _apply_verbs(self, facts: Facts) -> bool:
        assert facts.row is not None and facts.origin is not None
        return self.verbs.apply(facts.row, facts.origin)

    def _mirror(self, facts: Facts) -> bool:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        patch = running_patch(origin, row, facts.run)
        if patch:
            self._patch_origin(origin, patch)
        return False

    def _record_end(self, facts: Facts) -> bool:
        row = facts.row
        assert row is not None and row.cluster is not None and facts.run is not None
        name = facts.run["metadata"]["name"]
        # The watch may lag behind a retry, and show an end that is none any more.
        run = self.registry.get(row.cluster).find(WORKFLOWS, row.namespace, name) or facts.run
        phase = ended(run)
        if phase is None and not is_deletion_ongoing(run):
            return False
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
        return True

    def _check_run(self, facts: Facts) -> bool:
        """The watch doesn't show the run: ask the target itself, since a watch may lag."""
        row = facts.row
        assert row is not None and row.cluster is not None and row.run_name is not None
        found = self.registry.get(row.cluster).find(WORKFLOWS, row.namespace, row.run_name)
        if found is not None and is_current_run(found, row):
            return False
        message = f"the run {row.run_name} is gone from {row.cluster}, and nobody saw how it ended"
        placements.ended(self.pool, row.placement, run_uid=row.run_uid, phase="Error", message=message, outcome={})
        self.room_came_free()
        return True

    def _finish(self, facts: Facts) -> bool:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        patch = final_patch(origin, row, placements.outcome(self.pool, row.placement), facts.run)
        if patch:
            self._patch_origin(origin, patch)
        if row.hold is Hold.PLUGIN:
            dismiss_agent(self.front, row)
        placements.end_shown(self.pool, row.placement, run_uid=row.run_uid)
        self.recorder.record(origin, "Ended", f"{row.phase} on {row.cluster}: {row.message or 'no message'}")
        return True

    def _remove_run_finalizer(self, facts: Facts) -> bool:
        assert facts.row is not None and facts.row.cluster is not None and facts.run is not None
        remove_finalizer(self.registry.get(facts.row.cluster), facts.run)
        return False

    def _mark_deleting(self, facts: Facts) -> bool:
        assert facts.row is not None
        return placements.deleting(self.pool, facts.row.placement) is not None

    def _remove(self, facts: Facts) -> bool:
        row = facts.row
        assert row is not None
        if row.cluster is not None and row.run_name is not None:
            target = self.registry.get(row.cluster)
            run = target.find(WORKFLOWS, row.namespace, row.run_name)
            if run is not None and has_placement_labels(run, row):
                remove_run(target, run)
                return False
        removed = placements.deleted(self.pool, row.placement)
        self.room_came_free()
        return removed is not None

    def _remove_finalizer(self, facts: Facts) -> bool:
        assert facts.origin is not None
        remove_finalizer(self.front, facts.origin)
        return False

    def _release_copies(self, facts: Facts) -> bool:
        for copy in facts.copies:
            remove_finalizer(self.front, copy)
        return False

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
