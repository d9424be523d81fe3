"""Reconciles one placement: gathers the facts, plans one step and takes it, until none is left."""

from collections.abc import Callable, Mapping

import structlog
from prometheus_client import Counter

from webhook.controller.facts import Gatherer
from webhook.controller.origin_status.by_hold import away_patch
from webhook.controller.patch import patch_origin
from webhook.controller.plan import Facts, Step, Then, deleted_copies, is_at_rest, plan
from webhook.controller.remove import remove_finalizer, remove_run
from webhook.controller.resting import Rest, Wait
from webhook.controller.targets import Targets
from webhook.errors import Blocked, Clash, MedeaError, NotThere, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.model.limits.controller import MOST_STEPS

log = structlog.get_logger(__name__)
_STEPS = Counter("medea_steps_total", "Steps taken", ["step"])

Acts = Mapping[Step, Callable[[Facts], Then]]


class Reconciler:
    """Takes the steps that `plan` chooses, given the facts from `gatherer`. `acts` has a function for every step."""

    def __init__(
        self, *, front: Cluster, targets: Targets, gatherer: Gatherer, acts: Acts, recorder: EventRecorder
    ) -> None:
        self._front, self._targets, self._gatherer, self._acts = front, targets, gatherer, acts
        self._recorder = recorder

    def reconcile(self, placement: str) -> Rest:
        """Take steps until none is left or the next one has to wait. Raises any error of a step."""
        facts, then = self._gatherer.gather(placement), Then.GO_ON
        failed = self._tidy(facts)
        for _ in range(MOST_STEPS):
            step = plan(facts)
            if step is Step.NOTHING:
                break
            _STEPS.labels(step).inc()
            log.debug("step", step=step, placement=placement)
            then = self._take(step, facts)
            if then is not Then.GO_ON:
                break
            facts = self._gatherer.gather(placement)
        if failed:
            raise failed[0]
        if then is Then.WAIT_FOR_TARGET and facts.row and facts.away:
            return Rest(waits_for=Wait(str(facts.row.cluster), facts.away.long, facts.row.namespace))
        again = facts.left if facts.left is not None and facts.left > 0 else None
        return Rest(version=facts.version if is_at_rest(facts) else None, again=again)

    def _take(self, step: Step, facts: Facts) -> Then:
        try:
            return self._acts[step](facts)
        except (Clash, NotThere):
            raise
        except (Blocked, Rejected) as error:
            # A run that may not be let go matters to nobody at the front door.
            if step is not Step.LET_RUN_GO:
                self._show_blocked(facts, error)
            raise

    def _show_blocked(self, facts: Facts, error: Blocked | Rejected) -> None:
        """Only a person can help, so say on the origin what is wrong. What follows once it is right takes it off."""
        cluster = error.details.get("cluster")
        words = f"{cluster}: {error.message}" if cluster else error.message
        patch = away_patch(facts.origin, words) if facts.origin else {}
        if not facts.origin or not patch:
            return
        try:
            patch_origin(self._front, facts.origin, patch)
        except MedeaError as failed:
            log.warning("origin does not say what blocks it", reason=failed.message, blocked=error.message)
        else:
            self._recorder.record(facts.origin, "Blocked", words, warning=True)

    def _tidy(self, facts: Facts) -> list[MedeaError]:
        """Remove strays, and finalizers of deleted copies. Returns errors, so that the placement is not held up."""
        failed: list[MedeaError] = []
        for cluster, run in facts.strays:
            try:
                remove_run(self._targets.get(cluster), run)
                log.warning("stray run removed", cluster=cluster, run=run["metadata"]["name"])
            except MedeaError as error:
                failed.append(error)
        for copy in deleted_copies(facts):
            try:
                remove_finalizer(self._front, copy)
            except MedeaError as error:
                failed.append(error)
        return failed
