"""Steps about the origin: binding it to its row, showing the run on it, and removing its finalizer."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from webhook.controller.agents import dismiss_agent
from webhook.controller.origin_status.by_hold import (
    bare_end,
    final_patch,
    outcome_of,
    running_patch,
    says_no_tree,
    without_tree,
)
from webhook.controller.origin_status.made import with_made
from webhook.controller.patch import patch_origin
from webhook.controller.plan import Facts, Step, Then
from webhook.controller.remove import remove_finalizer
from webhook.controller.unheard import spec_without, unheard_verb
from webhook.errors import Clash, NotThere, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import ORIGIN_UID, PLACEMENT, VERBS, Hold, State
from webhook.model.objects import Metadata, Object, labels
from webhook.model.verbs import pending, written

log = structlog.get_logger(__name__)


@dataclass
class OriginSteps:
    """Each step takes the facts and returns what follows. Steps raise any error of a cluster or the ledger."""

    front: Cluster
    pool: Pool
    recorder: EventRecorder
    room_came_free: Callable[[], None]

    def acts(self) -> dict[Step, Callable[[Facts], Then]]:
        """The function for each step."""
        return {
            Step.BIND: self._bind,
            Step.RESTORE_MARK: self._restore_mark,
            Step.SHOW_QUEUED: self._mirror,
            Step.MIRROR: self._mirror,
            Step.FINISH: self._finish,
            Step.DELETE_OLD: self._delete_old,
            Step.SHOW_LATER: self._show_later,
            Step.MARK_DELETING: self._mark_deleting,
            Step.REMOVE_FINALIZER: self._remove_finalizer,
        }

    def _bind(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.origin is not None
        metadata: Metadata = facts.origin["metadata"]
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
        elif bound.state is State.SPLIT:
            self.recorder.record(facts.origin, "Split", str(bound.reason))
        else:
            self.recorder.record(facts.origin, "Placed", f"on {bound.reason} (needs {bound.totals})")
        return Then.GO_ON

    def _restore_mark(self, facts: Facts) -> Then:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        marks: Object = {"annotations": {PLACEMENT: row.placement}}
        if ORIGIN_UID in labels(origin):
            marks["labels"] = {ORIGIN_UID: None}
        # Without it the webhook did not hear of a retry, which makes a running Workflow of one that has ended.
        placements.end_hidden(self.pool, row.placement)
        unheard = unheard_verb(origin, row, facts.run)
        if unheard:
            marks["annotations"][VERBS] = written([*pending(origin), unheard])
        patch_origin(self.front, origin, {"metadata": marks, "spec": spec_without(origin, row)})
        self.recorder.record(origin, "MarksRestored", f"{PLACEMENT} was taken off and is back", warning=True)
        return Then.WAIT

    def _mirror(self, facts: Facts) -> Then:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        try:
            shown = None if facts.run is None else with_made(facts.run, facts.made, cluster=str(row.cluster))
            self._show(origin, running_patch(origin, row, shown))
        except (Clash, NotThere):
            raise
        except Rejected as error:
            if facts.run is None:
                raise
            self._show_without_tree(row, origin, facts.run, error.message)
        return Then.WAIT_FOR_TARGET if facts.away else Then.WAIT

    def _show(self, origin: Object, patch: Object) -> None:
        if patch:
            patch_origin(self.front, origin, patch)

    def _show_without_tree(self, row: Placement, origin: Object, run: Object, why: str) -> None:
        """Show that the nodes are left out, once. They are tried again only when the run changes."""
        if not says_no_tree(origin):
            log.warning("shown without its tree", workflow=origin["metadata"]["name"], reason=why)
            self.recorder.record(origin, "TreeCut", f"its nodes are not shown: {why}", warning=True)
        self._show(origin, running_patch(origin, row, without_tree(run)))

    def _finish(self, facts: Facts) -> Then:
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        patch = final_patch(origin, row, placements.outcome(self.pool, row.placement), facts.run)
        if patch:
            self._show_end(row, origin, patch)
        if row.hold is Hold.PLUGIN:
            dismiss_agent(self.front, row)
        placements.end_shown(self.pool, row.placement, run_uid=row.run_uid)
        where = f" on {row.cluster}" if row.cluster else ""
        self.recorder.record(origin, "Ended", f"{row.phase}{where}: {row.message or 'no message'}")
        return Then.GO_ON

    def _delete_old(self, facts: Facts) -> Then:
        assert facts.row is not None and facts.origin is not None
        metadata: Metadata = facts.origin["metadata"]
        log.info("had its time", placement=facts.row.placement, workflow=metadata["name"])
        # In this very version: somebody may have retried it meanwhile.
        uid, version = metadata["uid"], metadata["resourceVersion"]
        self.front.delete(WORKFLOWS, metadata["namespace"], metadata["name"], uid=uid, version=version)
        return Then.WAIT

    def _show_later(self, facts: Facts) -> Then:
        row, origin, run = facts.row, facts.origin, facts.run
        assert row is not None and origin is not None and run is not None
        now = outcome_of(with_made(run, facts.made, cluster=str(row.cluster), over=True), row)
        try:
            self._show(origin, final_patch(origin, row, now, run))
        except (Clash, NotThere):
            raise
        except Rejected as error:
            # The end itself is shown, if without its tree.
            log.info("not shown after the end", workflow=origin["metadata"]["name"], reason=error.message)
        return Then.WAIT

    def _show_end(self, row: Placement, origin: Object, patch: Object) -> None:
        """Show all of it, or what the front door accepts: a tree too large or malformed must not hide the end."""
        try:
            patch_origin(self.front, origin, patch)
        except (Clash, NotThere):
            raise
        except Rejected as error:
            log.warning("end shown without its tree", workflow=origin["metadata"]["name"], reason=error.message)
            patch_origin(self.front, origin, bare_end(patch, row))
            self.recorder.record(origin, "EndCut", f"only phase and times are shown: {error.message}", warning=True)

    def _mark_deleting(self, facts: Facts) -> Then:
        assert facts.row is not None
        return Then.GO_ON if placements.deleting(self.pool, facts.row.placement) else Then.WAIT

    def _remove_finalizer(self, facts: Facts) -> Then:
        assert facts.origin is not None
        remove_finalizer(self.front, facts.origin)
        return Then.WAIT
