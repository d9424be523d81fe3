"""The controller process: watches the front door and every target, and keeps threads busy with what changes."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge

from webhook.controller.facts import Gatherer
from webhook.controller.queue import Queue
from webhook.controller.reconciler import Reconciler
from webhook.controller.subworkflows import CHILD, Subworkflows
from webhook.controller.sweep import sweep
from webhook.controller.verbs import VerbExecutor
from webhook.controller.workflow_index import WorkflowIndex
from webhook.errors import Clash, MedeaError, Missing
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.kube.registry import Registry
from webhook.kube.resources import NAMESPACES
from webhook.kube.workqueue import WorkQueue
from webhook.ledger.pool import Pool
from webhook.model.contract import ENABLED, PLACEMENT, Hold
from webhook.model.limits import MOMENT
from webhook.model.objects import Object
from webhook.model.run import origin_placement, run_placement
from webhook.namespaces.probe import Probes
from webhook.namespaces.reconciler import NamespaceReconciler
from webhook.scout.placer import Placer
from webhook.scout.sampler import Sampler

log = structlog.get_logger(__name__)
_RESULTS = Counter("medea_reconciles_total", "Placements looked at", ["result"])
_DEPTH = Gauge("medea_work_queue_depth", "Placements that wait to be looked at")

_WORKERS = 16
_FIRST_LIST = 30.0
_NAMESPACE = "namespace/"


@dataclass(frozen=True)
class Cadence:
    """Seconds: between sweeps, and until a placement without an origin expires."""

    sweep: float
    expiry: float


@dataclass(frozen=True)
class Caches:
    """The controller's watches, current for as long as it runs: namespaces are those that opted in, runs by target."""

    origins: WorkflowIndex
    runs: Mapping[str, WorkflowIndex]
    namespaces: Informer


class Follower(Protocol):
    """Shows what the controller knows in another way."""

    def start(self) -> None:
        """Begin; the registry has not been started yet."""

    def look_at(self, placement: str) -> None:
        """The origin or the run of this placement has changed. It must only take note."""


class Controller:
    """Owns the watches, the work queue and the threads."""

    def __init__(
        self,
        *,
        front: Cluster,
        registry: Registry,
        pool: Pool,
        placer: Placer,
        sampler: Sampler,
        cadence: Cadence,
        default_hold: Hold,
    ) -> None:
        self._front, self._registry, self._pool, self._sampler, self._cadence = front, registry, pool, sampler, cadence
        self._work = WorkQueue(lane_limit=_WORKERS)
        self._queue = Queue(pool=pool, placer=placer, changed=self._work.add)
        self._children = Subworkflows(front, self._work.add)
        self._origins = WorkflowIndex(
            front, placement_of=origin_placement, changed=self._on_origin, also=self._children.note
        )
        self._namespaces = Informer(front, NAMESPACES, self._on_namespace, selector=f"{ENABLED}=true")
        self._runs: dict[str, WorkflowIndex] = {}
        self._recorder = EventRecorder(front)
        self._namespace_reconciler = NamespaceReconciler(
            front, self._origins.informer, self._recorder, Probes(front), default_hold
        )
        self._reconciler = Reconciler(
            front=front,
            registry=registry,
            pool=pool,
            gatherer=Gatherer(front, pool, self._origins, self._runs),
            room_came_free=self._queue.wake,
            recorder=self._recorder,
            verbs=VerbExecutor(front, registry, pool, self._recorder, self._queue.wake),
        )
        self._ready, self._stop = threading.Event(), threading.Event()
        self._followers: list[Follower] = []

    @property
    def known(self) -> Caches:
        """What the watches show, for rooms that show it in other ways."""
        return Caches(self._origins, self._runs, self._namespaces)

    def follow(self, follower: Follower) -> None:
        """Have `follower` started with the controller, and told of changes. To be called before `run`."""
        self._followers.append(follower)

    @property
    def ready(self) -> bool:
        """Whether everything has been listed once and work is being done."""
        return self._ready.is_set()

    def run(self) -> None:
        """Work until `stop` is called."""
        self._registry.on_change(self._on_target)
        self._sampler.on_read(self._queue.wake)
        for follower in self._followers:
            follower.start()
        self._pool.start()
        self._sampler.start()
        for watch in (self._registry, self._namespaces, self._origins.informer):
            watch.start()
        self._await_lists()
        self._queue.start()
        self._recorder.start()
        for number in range(_WORKERS):
            threading.Thread(target=self._worker, name=f"worker-{number}", daemon=True).start()
        self._ready.set()
        log.info("controller ready", targets=sorted(self._runs))
        while not self._stop.is_set():
            self._sweep()
            self._stop.wait(self._cadence.sweep)
        self._work.shut_down()

    def stop(self) -> None:
        """Have `run` come to its end."""
        self._stop.set()

    def _await_lists(self) -> None:
        """Nothing is decided before the front door is known; a target that is away must not keep the others waiting."""
        while not (
            self._pool.wait(_FIRST_LIST)
            and self._origins.informer.wait(_FIRST_LIST)
            and self._registry.wait(_FIRST_LIST)
        ):
            log.warning("waiting for the ledger and the front door")

    def _worker(self) -> None:
        while (key := self._work.get()) is not None:
            _DEPTH.set(len(self._work))
            try:
                self._look_at(key)
            except (Clash, Missing) as error:
                self._failed(key, "again", error)
            except MedeaError as error:
                self._failed(key, "unavailable", error)
            except Exception:
                # One placement that Medea can't make sense of must not stop the others.
                log.exception("bug", placement=key)
                _RESULTS.labels("bug").inc()
                self._work.add_rate_limited(key)
            else:
                _RESULTS.labels("ok").inc()
                self._work.forget(key)
            finally:
                self._work.done(key)

    def _look_at(self, key: str) -> None:
        if key.startswith(CHILD):
            self._children.look_at(key, self._origins.informer)
            return
        if not key.startswith(_NAMESPACE):
            self._reconciler.reconcile(key)
            return
        namespace = self._namespaces.get("", key.removeprefix(_NAMESPACE))
        if namespace:
            self._namespace_reconciler.reconcile(namespace)

    def _failed(self, key: str, result: str, error: MedeaError) -> None:
        log.info("trying again", placement=key, result=result, reason=error.message)
        _RESULTS.labels(result).inc()
        self._work.add_rate_limited(key)

    def _sweep(self) -> None:
        try:
            sweep(
                pool=self._pool,
                front=self._front,
                origins=self._origins,
                runs=self._runs,
                work=self._work,
                expiry=self._cadence.expiry,
            )
            # What is not listed has not opted out.
            if self._namespaces.current:
                self._namespace_reconciler.sweep(self._namespaces.all())
        except MedeaError as error:
            log.warning("sweep cut short", reason=error.message)
        for namespace in self._namespaces.all():
            self._work.add(_NAMESPACE + namespace["metadata"]["name"])
        for child in self._children.living():
            self._work.add(child)
        self._queue.wake()

    def _on_origin(self, placement: str) -> None:
        self._work.add(placement)
        for follower in self._followers:
            follower.look_at(placement)

    def _on_run(self, placement: str) -> None:
        self._work.add_after(placement, MOMENT)
        for follower in self._followers:
            follower.look_at(placement)

    def _on_namespace(self, namespace: Object, gone: bool) -> None:
        if not gone:
            self._work.add(_NAMESPACE + namespace["metadata"]["name"])

    def _on_target(self, name: str, cluster: Cluster | None) -> None:
        old = self._runs.pop(name, None)
        if old:
            old.informer.stop()
        if cluster:
            index = WorkflowIndex(cluster, placement_of=run_placement, changed=self._on_run, selector=PLACEMENT)
            self._runs[name] = index
            index.informer.start()
        self._queue.wake()
