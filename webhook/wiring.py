"""Builds the service and the controller from the settings. Nothing is created at import."""

import datetime
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg.conninfo import make_conninfo

from webhook.admission.review import Admission
from webhook.api.argoserver import ArgoServer
from webhook.api.balancer import Balancer
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.routes import Deps
from webhook.api.run_step import RunSteps
from webhook.api.steps import Steps
from webhook.api.tokens import Tokens
from webhook.api.workflow_steps import WorkflowSteps
from webhook.controller.facts import Gatherer
from webhook.controller.loop import Loop
from webhook.controller.origin_steps import OriginSteps
from webhook.controller.process import Controller
from webhook.controller.queue import Queue
from webhook.controller.reconciler import Reconciler
from webhook.controller.resting import Resting
from webhook.controller.subworkflows import Subworkflows
from webhook.controller.sweep import Sweep
from webhook.controller.target_steps import TargetSteps
from webhook.controller.targets import Targets, utc_now
from webhook.controller.verbs import VerbExecutor
from webhook.controller.watches import Caches, Watches
from webhook.kube.client import Cluster, front_door
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.kube.resources import SELF_REVIEWS
from webhook.kube.workqueue import WorkQueue
from webhook.ledger.embedded import embedded_dsn
from webhook.ledger.pool import Pool
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint
from webhook.logs.mirror import Mirror
from webhook.logs.reader import Reader
from webhook.logs.streams import Streams
from webhook.logs.virtual_nodes import VirtualNodes
from webhook.model.limits import OWN_NAME_TIMEOUT, WORKERS_PER_TARGET
from webhook.namespaces.hold import Holds
from webhook.namespaces.prepare import Prepared
from webhook.namespaces.probe import Probes
from webhook.namespaces.reconciler import NamespaceReconciler
from webhook.scout.placer import Placer
from webhook.scout.sampler import Sampler
from webhook.settings import Settings
from webhook.targets.acceptance import Acceptance
from webhook.targets.profiles import Profiles
from webhook.targets.rotation import Rotation


@dataclass(frozen=True)
class Parts:
    """The parts that service and controller both have, each process its own."""

    front: Cluster
    registry: Registry
    prober: TargetProber
    pool: Pool
    sampler: Sampler
    placer: Placer
    acceptance: Acceptance


@dataclass(frozen=True)
class Service:
    """The webhook and the API."""

    parts: Parts
    admission: Admission
    api: Deps
    logs: Endpoint | None
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start all background work."""
        self.parts.pool.start()
        self.parts.sampler.start()
        self.parts.registry.start()
        self.parts.prober.start()
        self.parts.acceptance.start()
        self.admission.holds.start()
        if self.logs:
            self.logs.streams.start()

    def stop(self) -> None:
        """Become unready, since the process is about to end."""
        self.stopping.set()

    def unready(self) -> str | None:
        """Why the service can't place Workflows now; None if it can."""
        if self.stopping.is_set():
            return "this process is about to end"
        if not self.parts.pool.wait(0):
            return "the ledger (Postgres) is not reachable yet"
        return None if self.parts.registry.wait(0) else "the targets are not known yet"


def make_parts(settings: Settings) -> Parts:
    """The shared parts, not started."""
    front = front_door(str(settings.kubeconfig) if settings.kubeconfig else None)
    registry = Registry(front, settings.medea_namespace)
    pool = Pool(ledger_dsn(settings))
    sampler = Sampler(url=settings.prometheus_url, interval=settings.medea_sample_interval)
    acceptance = Acceptance(registry)
    placer = Placer(
        pool=pool,
        sampler=sampler,
        registry=registry,
        closed=acceptance.refusal,
        max_age=settings.medea_sample_max_age,
    )
    return Parts(front, registry, TargetProber(registry), pool, sampler, placer, acceptance)


def make_service(settings: Settings) -> Service:
    """The service, not started."""
    parts = make_parts(settings)

    holds = Holds(parts.front, default=settings.medea_hold, quiet=settings.medea_probe_quiet)
    opted_in = functools.partial(_opted_in, holds.namespaces)
    parts.sampler.narrow_to(opted_in)
    parts.acceptance.narrow_to(opted_in)

    @functools.cache
    def own_user() -> str:
        # Asked only when it is needed: the service may start before the front door does.
        return str(
            parts.front.create(SELF_REVIEWS, None, {}, read_timeout=OWN_NAME_TIMEOUT)["status"]["userInfo"]["username"]
        )

    admission = Admission(
        front=parts.front,
        registry=parts.registry,
        pool=parts.pool,
        placer=parts.placer,
        own_user=own_user,
        prepared=Prepared(parts.front),
        holds=holds,
    )
    # Half of the threads, because each submission waits for a review that needs another thread.
    slots = ConcurrencyLimit(settings.medea_threads // 2)
    ca = settings.medea_argo_server_ca
    argo_server = ArgoServer(settings.medea_argo_server, str(ca) if ca else None, slots, own=parts.front.authorization)
    balancer = Balancer(parts.front, parts.registry, parts.pool, slots, argo_server)
    rights = Rights(parts.front)
    steps = Steps(
        parts.front,
        parts.pool,
        rights,
        Tokens(parts.front),
        others=WorkflowSteps(parts.front, parts.pool, argo_server, rights),
        sub_workflows=RunSteps(parts.front, parts.pool, slots, rights),
    )
    api = Deps(parts.placer, parts.pool, balancer, steps)
    logs = None
    if settings.medea_logs_certs:
        logs = _make_endpoint(parts.front, parts.registry, parts.pool, most=settings.medea_logs_streams)
    return Service(parts, admission, api, logs)


def make_controller(settings: Settings) -> tuple[Parts, Controller]:
    """The controller, not started, and the shared parts."""
    parts = make_parts(settings)
    made = assemble_controller(parts, settings, recorder=EventRecorder(parts.front))
    opted_in = functools.partial(_opted_in, made.watches.namespaces)
    parts.sampler.narrow_to(opted_in)
    parts.acceptance.narrow_to(opted_in)
    space, overview = settings.medea_namespace, parts.placer.overview
    made.controller.beside(
        Rotation(parts.front, parts.registry, space),
        Profiles(parts.front, parts.registry, space, namespaces=opted_in, overview=overview),
    )
    if settings.medea_logs_certs:
        mirror = _make_mirror(
            parts.front,
            parts.registry,
            made.watches.known,
            host=settings.medea_logs_address,
            port=settings.medea_logs_port,
            sweep=settings.medea_sweep_interval,
        )
        made.watches.follow(mirror)
    return parts, made.controller


@dataclass(frozen=True)
class ControllerParts:
    """The parts of the controller; tests drive them one by one."""

    controller: Controller
    watches: Watches
    work: WorkQueue
    targets: Targets
    loop: Loop
    sweep: Sweep


def assemble_controller(
    parts: Parts,
    settings: Settings,
    *,
    recorder: EventRecorder,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime.datetime] = utc_now,
    begin: Callable[[Informer], None] = Informer.start,
) -> ControllerParts:
    """The controller's parts, not started. `begin` is called to start an informer."""
    front, pool = parts.front, parts.pool
    work, resting = WorkQueue(lane_limit=WORKERS_PER_TARGET, clock=clock), Resting()
    targets = Targets(parts.registry, clock=clock, now=now)
    children = Subworkflows(front, work.add)
    watches = Watches(front, work, children, begin=begin)
    queue = Queue(pool=pool, placer=parts.placer, changed=lambda key, target: work.add(key, lane=target))
    namespaces = NamespaceReconciler(front, watches.origins.informer, recorder, Probes(front), settings.medea_hold)
    origin_steps = OriginSteps(front, pool, recorder, queue.wake)
    target_steps = TargetSteps(front, targets, pool, recorder, queue.wake, parts.placer.pause, parts.acceptance.refused)
    verbs = VerbExecutor(front, targets, pool, recorder, queue.wake)
    reconciler = Reconciler(
        front=front,
        targets=targets,
        gatherer=Gatherer(front, pool, watches.origins, watches.runs, targets),
        acts={**origin_steps.acts(), **target_steps.acts(), **verbs.acts()},
    )
    loop = Loop(
        work=work,
        reconciler=reconciler,
        children=children,
        namespaces=namespaces,
        watches=watches,
        targets=targets,
        resting=resting,
    )
    sweep = Sweep(
        front=front,
        pool=pool,
        watches=watches,
        targets=targets,
        work=work,
        resting=resting,
        children=children,
        namespaces=namespaces,
        room_came_free=queue.wake,
        expiry=settings.medea_expiry,
        retention_days=settings.medea_retention_days,
        now=now,
    )
    controller = Controller(
        registry=parts.registry,
        pool=pool,
        sampler=parts.sampler,
        watches=watches,
        queue=queue,
        recorder=recorder,
        work=work,
        loop=loop,
        sweep=sweep,
        sweep_interval=settings.medea_sweep_interval,
        clock=clock,
    )
    return ControllerParts(controller, watches, work, targets, loop, sweep)


def _opted_in(namespaces: Informer) -> list[str] | None:
    """The names of the namespaces that opted in; None while the informer is not up to date."""
    return [namespace["metadata"]["name"] for namespace in namespaces.all()] if namespaces.current else None


def _make_endpoint(front: Cluster, registry: Registry, pool: Pool, *, most: int) -> Endpoint:
    """The endpoint for logs of mirrored pods; it serves at most `most` at once."""
    return Endpoint(Reader(front, registry, pool), Access(front), Streams(most))


def _make_mirror(front: Cluster, registry: Registry, known: Caches, *, host: str, port: int, sweep: float) -> Mirror:
    """The mirror of pods; `host` and `port` are where the front door's apiserver reaches the endpoint for logs."""
    virtual_nodes = VirtualNodes(front, host=host, port=port, registered=registry.registered)
    return Mirror(front=front, registry=registry, known=known, virtual_nodes=virtual_nodes, sweep=sweep)


def ledger_dsn(settings: Settings) -> str:
    """The ledger's DSN, from the settings; without `POSTGRESQL_URL` it starts the embedded Postgres."""
    if not settings.postgresql_url:
        return embedded_dsn(settings.medea_data)
    address, _, database = settings.postgresql_url.partition("/")
    host, _, port = address.partition(":")
    return make_conninfo(
        host=host,
        port=port or "5432",
        dbname=database or "medea",
        user=settings.postgresql_user,
        password=settings.postgresql_pass,
    )
