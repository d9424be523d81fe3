"""Applies verbs: does to the run what a person did to its origin, however long the target is away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from webhook.controller.agents import open_task_set
from webhook.controller.facts import is_current_run
from webhook.controller.origin_status.by_hold import shown_ids
from webhook.controller.origin_status.full import steered
from webhook.controller.plan import Facts, Step, Then
from webhook.controller.targets import Targets
from webhook.controller.verb_apply import Steering, steering
from webhook.errors import Clash, NotThere, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import ARGO_NODE_ID, ARGO_WORKFLOW, VERBS, Hold, State
from webhook.model.deadline import utc_now
from webhook.model.objects import Metadata, Object, annotations
from webhook.model.verbs import Verb, pending

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Undone:
    """Why a verb was given up: the Event's reason and message."""

    reason: str
    message: str


@dataclass
class VerbExecutor:
    """Applies an origin's verbs, oldest first, and removes them from it.

    A verb that the target refuses is reported as an Event and given up, as it would be without Medea. Raises all other
    errors of clusters.
    """

    front: Cluster
    targets: Targets
    pool: Pool
    recorder: EventRecorder
    room_came_free: Callable[[], None]

    def acts(self) -> dict[Step, Callable[[Facts], Then]]:
        """The function for each step."""
        return {Step.APPLY_VERBS: self._apply}

    def _apply(self, facts: Facts) -> Then:
        """Apply all verbs; or first record a shutdown before the run, or reopen an ended row, and plan again."""
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        verbs, undone = pending(origin), list[Undone]()
        match row.state:
            case State.QUEUED | State.RESERVED | State.SPLIT:
                return self._before_the_run(row, origin, verbs)
            case State.RUNNING:
                undone = self._do_all(row, origin, verbs, facts.run)
            case State.ENDED:
                if any(verb.retry for verb in verbs):
                    return self._reopen(row, origin)
                undone = [_too_late(verbs[0], "it had ended")]
        self._take_off(origin, undone)
        return Then.WAIT

    def _before_the_run(self, row: Placement, origin: Object, verbs: list[Verb]) -> Then:
        """A shutdown ends the placement. Suspending needs nothing here: the run takes it from the origin's spec."""
        shutdowns = [verb.shutdown for verb in verbs if verb.shutdown]
        if shutdowns:
            # The same message as Argo's controller writes.
            message = f"Stopped with strategy '{shutdowns[-1]}'"
            if placements.stopped(self.pool, row.placement, message):
                self.room_came_free()
            return Then.GO_ON
        self._take_off(origin)
        return Then.WAIT

    def _reopen(self, row: Placement, origin: Object) -> Then:
        """Reopen the row for a retry if the run still exists and its locks are free; else the recorded end stays."""
        retry = next(verb for verb in pending(origin) if verb.retry)
        gone = self._run(row) is None
        if gone or placements.reopened(self.pool, row.placement) is None:
            # Admission has asked as well, but the lock may have been taken meanwhile.
            locked = None if gone else placements.locked_elsewhere(self.pool, row.placement)
            # The very change that asked for the retry has made a running Workflow of the origin.
            placements.end_hidden(self.pool, row.placement)
            self._take_off(origin, [_too_late(retry, locked or f"the run is gone from {row.cluster or 'its target'}")])
            return Then.WAIT
        if row.hold is Hold.PLUGIN:
            open_task_set(self.front, row)
        return Then.GO_ON

    def _run(self, row: Placement) -> Object | None:
        """The run, freshly read from its target; None if it is certainly gone."""
        if row.cluster is None or row.run_name is None:
            return None
        target = self.targets.get(row.cluster)
        run = target.find(WORKFLOWS, row.namespace, row.run_name)
        if run is not None and is_current_run(run, row):
            return run
        target.confirm()
        return None

    def _do_all(self, row: Placement, origin: Object, verbs: Sequence[Verb], seen: Object | None) -> list[Undone]:
        """Do all verbs. Raises Clash while the watch shows the run as it was before: `seen`."""
        run, undone = self._run(row), list[Undone]()
        for verb in verbs:
            if run is None:
                undone.append(_too_late(verb, f"the run is gone from {row.cluster}"))
                continue
            run, told = self._do(row, origin, verb, run)
            undone += [told] if told else []
        self._check_shown(row, run, seen)
        return undone

    def _do(self, row: Placement, origin: Object, verb: Verb, run: Object) -> tuple[Object, Undone | None]:
        """Do one verb; returns the run after that."""
        what = steering(run, verb, shown_ids(run, row), now=utc_now())
        if not what.patch:
            return run, _too_late(verb, what.too_late) if what.too_late else None
        try:
            run = self._change(self.targets.get(str(row.cluster)), run, what)
        except (Clash, NotThere):
            raise
        except Rejected as error:
            log.warning("verb refused", verb=verb.word, placement=row.placement, cluster=row.cluster, user=verb.user)
            return run, Undone("RefusedByTarget", f"{verb.word}: {row.cluster}: {error.message}")
        log.info("verb carried out", verb=verb.word, placement=row.placement, cluster=row.cluster, user=verb.user)
        self.recorder.record(origin, "Steered", f"{verb.word} by {verb.user} carried out on {row.cluster}")
        return run, None

    def _check_shown(self, row: Placement, run: Object | None, seen: Object | None) -> None:
        """Raise Clash while the watch shows the run as it was before: mirroring that would undo the verb on the origin.

        Until then the verbs stay on the origin, where they keep its `suspend` and `shutdown` as the person set them.
        """
        if run is not None and seen is not None and steered(run) != steered(seen):
            raise Clash(f"the watch of {row.cluster} does not show yet what was done to {row.run_name}")

    def _change(self, target: Cluster, run: Object, what: Steering) -> Object:
        metadata: Metadata = run["metadata"]
        remove_pods(target, metadata["namespace"], metadata["name"], what.doomed)
        version = {"resourceVersion": metadata["resourceVersion"]}
        patch = {**what.patch, "metadata": {**what.patch.get("metadata", {}), **version}}
        return target.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)

    def _take_off(self, origin: Object, undone: Sequence[Undone] = ()) -> None:
        """Remove the verbs, only from the version that was read so that no newer one is lost; then record failures."""
        metadata: Metadata = origin["metadata"]
        patch = {"metadata": {"annotations": {VERBS: None}, "resourceVersion": metadata["resourceVersion"]}}
        self.front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)
        for told in undone:
            self.recorder.record(origin, told.reason, told.message, warning=True)


def _too_late(verb: Verb, why: str) -> Undone:
    return Undone("TooLate", f"{verb.word}: {why}")


def remove_pods(target: Cluster, namespace: str, run_name: str, nodes: frozenset[str]) -> None:
    """Delete the pods of these nodes, since Argo would reuse an existing pod for the node, however it ended.

    Raises Clash while one of them is still being deleted: Argo could neither use it nor create a new one.
    """
    if not nodes:
        return
    selector = f"{ARGO_WORKFLOW}={run_name}"
    for pod in _pods_of(target, namespace, selector, nodes):
        metadata: Metadata = pod["metadata"]
        target.delete(PODS, namespace, metadata["name"], uid=metadata["uid"], propagation="Background")
    going = [pod["metadata"]["name"] for pod in _pods_of(target, namespace, selector, nodes)]
    if going:
        raise Clash(f"pods that have to make way are still there: {', '.join(going)}", cluster=target.name)


def _pods_of(target: Cluster, namespace: str, selector: str, nodes: frozenset[str]) -> list[Object]:
    found, _ = target.list(PODS, namespace, selector=selector)
    return [pod for pod in found if annotations(pod).get(ARGO_NODE_ID) in nodes]
