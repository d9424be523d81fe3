"""Keeps the mirrored pods and their Nodes up to date. Events make it fast; the sweep catches what they miss."""

import threading
from collections.abc import Callable
from functools import partial

import structlog
from prometheus_client import Counter

from webhook.controller.watches import Caches
from webhook.errors import Clash, MedeaError, NotAllowed, NotThere, QuotaExceeded, Rejected
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import PODS
from webhook.kube.turns import take_turn
from webhook.kube.workqueue import WorkQueue
from webhook.logs.facts import Gatherer
from webhook.logs.pods import Facts, Unmirrored, plan, status_of
from webhook.logs.shape import mirrored_pods
from webhook.logs.virtual_nodes import VirtualNodes
from webhook.model.limits.kube import MOMENT
from webhook.model.limits.logs import MIRROR_FIRST_LIST, MIRROR_WORKERS, MIRROR_WORKERS_PER_TARGET, NODE_BEAT
from webhook.model.objects import Metadata, Object

log = structlog.get_logger(__name__)

_STEPS = Counter("medea_mirror_steps_total", "Changes to mirrored pods", ["step", "outcome"])


class Mirror:
    """Owns the informers of pods, the work queue and the threads. `sweep` is the seconds between two sweeps."""

    def __init__(
        self,
        *,
        front: Cluster,
        registry: Registry,
        known: Caches,
        virtual_nodes: VirtualNodes,
        sweep: float,
    ) -> None:
        self._front, self._registry, self._known, self._virtual_nodes = front, registry, known, virtual_nodes
        self._sweep_seconds = sweep
        self._work = WorkQueue(lane_limit=MIRROR_WORKERS_PER_TARGET)
        self._gatherer = Gatherer(front, registry, known, self.look_at)
        self._beat_now = threading.Event()

    def start(self) -> None:
        """Start. Call this before the registry starts."""
        self._registry.on_change(self._on_target)
        self._gatherer.mirrored.informer.start()
        threads.start("mirror", self._run)

    def look_at(self, placement: str) -> None:
        """Reconcile this placement soon, since its origin, its run or a pod has changed."""
        self._work.add_after(placement, MOMENT, lane=self._gatherer.target_of(placement))

    def _on_target(self, name: str, cluster: Cluster | None) -> None:
        self._gatherer.leave(name)
        if cluster:
            self._gatherer.join(name, cluster)
        self._beat_now.set()
        for placement in self._gatherer.mirrored.groups():
            self._work.add(placement, lane=self._gatherer.target_of(placement))

    def _run(self) -> None:
        known = self._known
        watches = (self._gatherer.mirrored.informer, known.origins.informer, known.namespaces, self._registry)
        while not all(watch.wait(MIRROR_FIRST_LIST) for watch in watches):
            log.warning("waiting for what the front door shows")
        never = threading.Event()
        threads.start_loop("mirror-nodes", self._beat, stop=never)
        for number in range(MIRROR_WORKERS):
            threads.start_loop(f"mirror-{number}", self.turn, stop=never)
        while True:
            with threads.isolated("mirror"):
                for placement in self._gatherer.placements():
                    self._work.add(placement, lane=self._gatherer.target_of(placement), sweep=True)
            never.wait(self._sweep_seconds)

    def _beat(self) -> None:
        self._beat_now.clear()
        try:
            self._virtual_nodes.beat()
        except MedeaError as error:
            log.warning("nodes not kept", reason=error.message)
        self._beat_now.wait(NODE_BEAT)

    def turn(self) -> None:
        """Wait for one placement to look at, and bring its pods up to date."""
        take_turn(self._work, self._look, "mirroring")

    def _look(self, placement: str) -> None:
        for facts in self._gatherer.gather(placement):
            self.bring_up_to_date(facts)

    def bring_up_to_date(self, facts: Facts) -> None:
        """Make all changes of one placement's pods. Raises Unavailable if a cluster does not answer."""
        changes = plan(facts)
        # Deletes first: the pod of a retried node has the same name as the one before.
        for pod in changes.delete:
            self._do("delete", pod, partial(self._delete, pod))
        for pod, patch in changes.marks:
            self._do("marks", pod, partial(self._write_marks, pod, patch))
        for pod, patch in changes.statuses:
            self._do("status", pod, partial(self._write_status, pod, patch))
        for missing in changes.create:
            self._do("create", missing.pod, partial(self._create, missing, facts))
        for pod, grace in changes.unwanted:
            self._do("delete original", pod, partial(self._delete_original, pod, grace, facts.cluster))

    def _do(self, step: str, pod: Object, act: Callable[[], None]) -> None:
        """Make one change. A refused one is not retried until something changes or the sweep comes by."""
        outcome = "unavailable"
        try:
            act()
            outcome = "ok"
        except NotThere:
            outcome = "gone"
        except (Rejected, NotAllowed) as error:
            outcome = "refused"
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            log.warning("pod not mirrored", step=step, pod=name, namespace=namespace, reason=error.message)
        finally:
            _STEPS.labels(step, outcome).inc()

    def _create(self, missing: Unmirrored, facts: Facts) -> None:
        original = self._original(missing.pod, facts.cluster)
        if original is None or facts.origin is None:
            return
        full, bare = mirrored_pods(
            original,
            name=missing.name,
            node=missing.node,
            origin=facts.origin,
            cluster=facts.cluster,
            placement=facts.placement,
        )
        namespace = full["metadata"]["namespace"]
        try:
            self._front.create(PODS, namespace, full)
        except (Clash, NotThere, QuotaExceeded):
            raise
        except Rejected as error:
            log.info("pod mirrored without its spec", pod=missing.name, namespace=namespace, reason=error.message)
            self._front.create(PODS, namespace, bare)
        self._write_status(full, status_of(original))

    def _original(self, pod: Object, cluster: str) -> Object | None:
        """All of a pod on its target; None if it is gone."""
        metadata: Metadata = pod["metadata"]
        found = self._registry.get(cluster).find(PODS, metadata["namespace"], metadata["name"])
        return found if found is not None and found["metadata"]["uid"] == metadata["uid"] else None

    def _write_marks(self, pod: Object, patch: Object) -> None:
        metadata: Metadata = pod["metadata"]
        self._front.patch(PODS, metadata["namespace"], metadata["name"], {"metadata": patch})

    def _delete_original(self, pod: Object, grace: int, cluster: str) -> None:
        metadata: Metadata = pod["metadata"]
        self._registry.get(cluster).delete(
            PODS, metadata["namespace"], metadata["name"], uid=metadata["uid"], propagation="Background", grace=grace
        )
        log.info("pod deleted as at the front door", cluster=cluster, pod=metadata["name"])

    def _write_status(self, pod: Object, status: Object) -> None:
        metadata: Metadata = pod["metadata"]
        self._front.patch(PODS, metadata["namespace"], metadata["name"], {"status": status}, subresource="status")

    def _delete(self, pod: Object) -> None:
        metadata: Metadata = pod["metadata"]
        self._front.delete(
            PODS, metadata["namespace"], metadata["name"], uid=metadata["uid"], propagation="Background", grace=0
        )
