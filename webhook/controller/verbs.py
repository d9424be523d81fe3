"""Carries verbs out: what a person did to an origin is done to its run, however long its target is away."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from webhook.controller.agents import open_task_set
from webhook.controller.facts import is_current_run
from webhook.controller.origin_status.by_hold import shown_ids
from webhook.controller.verb_apply import steering
from webhook.errors import Clash
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.registry import Registry
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import ARGO_NODE_ID, ARGO_WORKFLOW, VERBS, Hold, State
from webhook.model.objects import Object, annotations
from webhook.model.verbs import Verb, pending

log = structlog.get_logger(__name__)


@dataclass
class VerbExecutor:
    """Takes the verbs off an origin, oldest first, and does them. Raises what the target answers."""

    front: Cluster
    registry: Registry
    pool: Pool
    recorder: EventRecorder
    room_came_free: Callable[[], None]

    def apply(self, row: Placement, origin: Object) -> bool:
        """Returns whether the row has changed, so that there is more to do at once."""
        verbs = pending(origin)
        match row.state:
            case State.QUEUED | State.RESERVED:
                return self._before_the_run(row, origin, verbs)
            case State.RUNNING:
                for verb in verbs:
                    self._do(row, origin, verb)
            case State.ENDED:
                if any(verb.retry for verb in verbs) and placements.reopened(self.pool, row.placement):
                    if row.hold is Hold.PLUGIN:
                        open_task_set(self.front, row)
                    return True
                self.recorder.record(origin, "TooLate", f"{verbs[0].word}: it had ended", warning=True)
        self._take_off(origin)
        return False

    def _before_the_run(self, row: Placement, origin: Object, verbs: list[Verb]) -> bool:
        """A shutdown ends what waits. A suspension is in the origin's spec, from where the run gets it."""
        shutdowns = [verb.shutdown for verb in verbs if verb.shutdown]
        if shutdowns:
            # The words are those of Argo's controller.
            message = f"Stopped with strategy '{shutdowns[-1]}'"
            if placements.stopped(self.pool, row.placement, message):
                self.room_came_free()
            return True
        self._take_off(origin)
        return False

    def _do(self, row: Placement, origin: Object, verb: Verb) -> None:
        assert row.cluster is not None and row.run_name is not None
        target = self.registry.get(row.cluster)
        run = target.find(WORKFLOWS, row.namespace, row.run_name)
        if run is None or not is_current_run(run, row):
            self.recorder.record(origin, "TooLate", f"{verb.word}: the run is gone from {row.cluster}", warning=True)
            return
        what = steering(run, verb, shown_ids(run, row), now=datetime.datetime.now(datetime.UTC))
        if what.too_late:
            self.recorder.record(origin, "TooLate", f"{verb.word}: {what.too_late}", warning=True)
        if not what.patch:
            return
        remove_pods(target, row.namespace, row.run_name, what.doomed)
        version = {"resourceVersion": run["metadata"]["resourceVersion"]}
        patch = {**what.patch, "metadata": {**what.patch.get("metadata", {}), **version}}
        target.patch(WORKFLOWS, row.namespace, row.run_name, patch)
        log.info("verb carried out", verb=verb.word, placement=row.placement, cluster=row.cluster, user=verb.user)
        self.recorder.record(origin, "Steered", f"{verb.word} by {verb.user} carried out on {row.cluster}")

    def _take_off(self, origin: Object) -> None:
        """From the very version that was read: a verb that came meanwhile stays."""
        metadata = origin["metadata"]
        patch = {"metadata": {"annotations": {VERBS: None}, "resourceVersion": metadata["resourceVersion"]}}
        self.front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)


def remove_pods(target: Cluster, namespace: str, run_name: str, nodes: frozenset[str]) -> None:
    """Delete the pods of these nodes: Argo takes a pod that is there for the node's, however it ended.

    Raises Clash while one of them is still going: Argo could neither use it nor make its own.
    """
    if not nodes:
        return
    selector = f"{ARGO_WORKFLOW}={run_name}"
    for pod in _pods_of(target, namespace, selector, nodes):
        metadata = pod["metadata"]
        target.delete(PODS, namespace, metadata["name"], uid=metadata["uid"], propagation="Background")
    going = [pod["metadata"]["name"] for pod in _pods_of(target, namespace, selector, nodes)]
    if going:
        raise Clash(f"pods that have to make way are still there: {', '.join(going)}", cluster=target.name)


def _pods_of(target: Cluster, namespace: str, selector: str, nodes: frozenset[str]) -> list[Object]:
    found, _ = target.list(PODS, namespace, selector=selector)
    return [pod for pod in found if annotations(pod).get(ARGO_NODE_ID) in nodes]
