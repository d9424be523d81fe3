"""Builds what each door serves, and the controller, from the settings. Nothing is created at import."""

import datetime
import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from webhook.admission.review import Admission
from webhook.admission.stub import AgentPods
from webhook.api.argoserver import ArgoServer
from webhook.api.balancer import Balancer
from webhook.api.gate import ClosedGate, OpenGate
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.routes import Deps
from webhook.api.run_step import RunSteps
from webhook.api.steps import Steps
from webhook.api.tokens import Tokens
from webhook.api.workflow_steps import WorkflowSteps
from webhook.certificates.delivery import Delivery, authority_bundle
from webhook.certificates.keeper import Keeper, Wanted
from webhook.certificates.names import names_in
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
from webhook.controller.templates import TemplateCopies
from webhook.controller.unused_templates import UnusedTemplates
from webhook.controller.verbs import VerbExecutor
from webhook.controller.watches import Caches, Watches
from webhook.errors import BadRequest
from webhook.kube.client import Cluster, front_door, front_door_for_others
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.kube.resources import SELF_REVIEWS
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import identities
from webhook.ledger.address import checked_dsn, conninfo_of_url
from webhook.ledger.embedded import embedded_dsn
from webhook.ledger.pool import Pool
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint
from webhook.logs.mirror import Mirror
from webhook.logs.reader import Reader
from webhook.logs.streams import Streams
from webhook.logs.virtual_nodes import VirtualNodes
from webhook.model.limits import OWN_NAME_TIMEOUT, SAMPLE_OLDEST, WORKERS_PER_TARGET
from webhook.namespaces.hold import Holds
from webhook.namespaces.prepare import Plugin, Preparer
from webhook.namespaces.prepared import Prepared
from webhook.namespaces.probe import Probes
from webhook.namespaces.reconciler import NamespaceReconciler
from webhook.scout.both_eyes import BothEyes
from webhook.scout.eye import Eye
from webhook.scout.placer import Placer
from webhook.scout.quota_watch import QuotaWatch
from webhook.scout.sampler import Sampler
from webhook.settings import Api, Eyes, Issuer, Settings
from webhook.targets.acceptance import Acceptance
from webhook.targets.profiles import Profiles
from webhook.targets.rotation import Rotation


@dataclass(frozen=True)
class Parts:
    """The parts that every process which places Workflows has, each its own."""

    front: Cluster
    registry: Registry
    prober: TargetProber
    pool: Pool
    sampler: Eye
    placer: Placer
    acceptance: Acceptance
    authority_bundle: Callable[[], str]
    """The authorities that vouch for Medea's servers, as PEM. Raises Unavailable."""


@dataclass(frozen=True)
class Background:
    """The background work of one door's process."""

    starts: Sequence[Callable[[], None]] = ()
    """Each starts one part of it."""
    needs: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    """What must hold before the door is ready, by what to say while it does not."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start all of it."""
        for start in self.starts:
            start()

    def stop(self) -> None:
        """Become unready, since the process is about to end."""
        self.stopping.set()

    def unready(self) -> str | None:
        """Why the door is not ready; None if it is."""
        if self.stopping.is_set():
            return "this process is about to end"
        return next((reason for reason, holds in self.needs.items() if not holds()), None)


@dataclass(frozen=True)
class WebhookDoor:
    """What the webhook's door serves."""

    admission: Admission
    background: Background


@dataclass(frozen=True)
class PluginDoor:
    """What the plugin's door serves."""

    steps: Steps
    background: Background


@dataclass(frozen=True)
class ApiDoor:
    """What the API's door serves."""

    api: Deps
    background: Background


@dataclass(frozen=True)
class LogsDoor:
    """What the logs' door serves."""

    endpoint: Endpoint
    background: Background


def make_parts(settings: Settings) -> Parts:
    """The shared parts, not started."""
    front = _front(settings)
    pool = Pool(ledger_dsn(settings))
    registry = Registry(front, settings.medea_namespace, expected=functools.partial(identities.expected, pool))
    sampler = _make_eye(settings, registry)
    acceptance = Acceptance(registry)
    placer = Placer(
        pool=pool,
        sampler=sampler,
        registry=registry,
        closed=acceptance.refusal,
        max_age=settings.medea_sample_max_age or SAMPLE_OLDEST,
    )
    bundle = functools.partial(authority_bundle, settings.medea_certs)
    return Parts(front, registry, TargetProber(registry), pool, sampler, placer, acceptance, bundle)


def _make_eye(settings: Settings, registry: Registry) -> Eye:
    """The eye, or both, that the settings ask for."""
    max_age = settings.medea_sample_max_age
    if settings.eyes is Eyes.APISERVER:
        return QuotaWatch(registry, max_age=max_age)
    sampler = Sampler(
        url=str(settings.prometheus_url),
        interval=settings.medea_sample_interval,
        max_age=max_age,
        access=settings.prometheus_access,
        label=settings.medea_prometheus_cluster_label,
    )
    return sampler if settings.eyes is Eyes.PROMETHEUS else BothEyes(sampler, QuotaWatch(registry, max_age=max_age))


def make_delivery(settings: Settings) -> Delivery | None:
    """What keeps the folder of certificates; None if somebody else does."""
    if not settings.medea_tls_secret:
        return None
    return Delivery(_front(settings), settings.medea_namespace, settings.medea_tls_secret, settings.medea_certs)


def make_keeper(front: Cluster, settings: Settings) -> Keeper | None:
    """What makes the certificates; None if somebody else does."""
    if not settings.medea_tls_secret or settings.medea_tls_issuer is not Issuer.MEDEA:
        return None
    wanted = Wanted(
        names=names_in(settings.medea_namespace, settings.medea_tls_names or ""),
        authority_life=datetime.timedelta(seconds=settings.medea_tls_authority_life),
        life=datetime.timedelta(seconds=settings.medea_tls_life),
    )
    return Keeper(front, settings.medea_namespace, settings.medea_tls_secret, wanted)


def _front(settings: Settings) -> Cluster:
    return front_door(_kubeconfig(settings))


def _kubeconfig(settings: Settings) -> str | None:
    return str(settings.kubeconfig) if settings.kubeconfig else None


def make_webhook(settings: Settings) -> WebhookDoor:
    """The webhook, not started."""
    parts = make_parts(settings)
    holds = _holds(parts, settings)

    admission = Admission(
        front=parts.front,
        registry=parts.registry,
        pool=parts.pool,
        placer=parts.placer,
        is_own=own_users(parts.front, settings.medea_namespace),
        prepared=Prepared(parts.front),
        holds=holds,
        agents=AgentPods(
            settings.medea_agent_tolerations, settings.medea_agent_node_selector, settings.medea_agent_priority_class
        ),
    )
    return WebhookDoor(admission, _placing(parts, holds))


def make_plugin(settings: Settings) -> PluginDoor:
    """What answers the plugin, not started."""
    front, pool = _front(settings), Pool(ledger_dsn(settings))
    slots, rights = _slots(settings), Rights(front)
    steps = Steps(
        front,
        pool,
        rights,
        Tokens(front),
        others=WorkflowSteps(front, pool, _argo_server(settings, slots), rights, own=front.authorization),
        sub_workflows=RunSteps(front, pool, slots, rights),
    )
    return PluginDoor(steps, Background([pool.start], _needs_ledger(pool)))


def make_api(settings: Settings) -> ApiDoor:
    """Balancer, scout and explanations, not started."""
    parts = make_parts(settings)
    holds, slots = _holds(parts, settings), _slots(settings)
    balancer = Balancer(parts.front, parts.registry, parts.pool, slots, _argo_server(settings, slots))
    gate = OpenGate(holds, parts.front) if settings.medea_api is Api.OPEN else _closed_gate(parts, holds, settings)
    return ApiDoor(Deps(gate, parts.placer, parts.pool, balancer), _placing(parts, holds))


def _closed_gate(parts: Parts, holds: Holds, settings: Settings) -> ClosedGate:
    others = front_door_for_others(_kubeconfig(settings))
    return ClosedGate(Tokens(parts.front), Rights(parts.front), holds, others.bearing)


def make_logs(settings: Settings) -> LogsDoor:
    """What serves logs of mirrored pods, not started."""
    front, pool = _front(settings), Pool(ledger_dsn(settings))
    registry, streams = Registry(front, settings.medea_namespace), Streams(settings.medea_logs_streams)
    prober = TargetProber(registry)
    background = Background(
        [pool.start, registry.start, prober.start, streams.start], _needs_ledger(pool) | _needs_targets(registry)
    )
    return LogsDoor(Endpoint(Reader(front, registry, pool), Access(front), streams), background)


def _placing(parts: Parts, holds: Holds) -> Background:
    """The background work of a process that places Workflows."""
    parts_of_placing = (parts.pool, parts.sampler, parts.registry, parts.prober, parts.acceptance, holds)
    starts = [part.start for part in parts_of_placing]
    needs = {"the namespaces that opted in are not known yet": lambda: holds.namespaces.wait(0)}
    return Background(starts, _needs_ledger(parts.pool) | needs | _needs_targets(parts.registry))


def _needs_ledger(pool: Pool) -> dict[str, Callable[[], bool]]:
    return {"the ledger (Postgres) is not reachable yet": lambda: pool.wait(0)}


def _needs_targets(registry: Registry) -> dict[str, Callable[[], bool]]:
    return {"the targets are not known yet": lambda: registry.wait(0)}


def _holds(parts: Parts, settings: Settings) -> Holds:
    holds = Holds(parts.front, default=settings.medea_hold, quiet=settings.medea_probe_quiet)
    opted_in = functools.partial(_opted_in, holds.namespaces)
    parts.sampler.narrow_to(opted_in)
    parts.acceptance.narrow_to(opted_in)
    return holds


def _slots(settings: Settings) -> ConcurrencyLimit:
    # Half of the threads, so that the other half answers whatever leads to no review while the front door is slow.
    return ConcurrencyLimit(settings.medea_threads // 2)


def _argo_server(settings: Settings, slots: ConcurrencyLimit) -> ArgoServer:
    ca = settings.medea_argo_server_ca
    return ArgoServer(settings.medea_argo_server, str(ca) if ca else None, slots)


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
    authority: Callable[[], str] | None = None,
) -> ControllerParts:
    """The controller's parts, not started. `begin` is called to start an informer.

    `authority` returns the certificates that vouch for Medea, as PEM; None: those of the parts.
    """
    front, pool = parts.front, parts.pool
    work, resting = WorkQueue(lane_limit=WORKERS_PER_TARGET, clock=clock), Resting()
    targets = Targets(parts.registry, clock=clock, now=now)
    children = Subworkflows(front, work.add)
    watches = Watches(front, work, children, begin=begin)

    def left_the_queue(placement: str, target: str, namespace: str) -> None:
        work.add(placement, lane=target, share=namespace)

    queue = Queue(pool=pool, placer=parts.placer, changed=left_the_queue)
    plugin = Plugin(
        image=settings.medea_plugin_image,
        url=settings.medea_plugin_url,
        authority=authority or parts.authority_bundle,
        pull_secrets=settings.medea_agent_pull_secrets,
    )
    namespaces = NamespaceReconciler(
        watches.origins.informer, recorder, Probes(front), Preparer(front, plugin, clock=clock), settings.medea_hold
    )
    origin_steps = OriginSteps(front, pool, recorder, queue.wake)
    copies = TemplateCopies(clock=clock)
    target_steps = TargetSteps(
        front, targets, pool, recorder, queue.wake, parts.placer.pause, parts.acceptance.refused, copies
    )
    verbs = VerbExecutor(front, targets, pool, recorder, queue.wake)
    reconciler = Reconciler(
        front=front,
        targets=targets,
        gatherer=Gatherer(front, pool, watches.origins, watches.runs, targets),
        acts={**origin_steps.acts(), **target_steps.acts(), **verbs.acts()},
        recorder=recorder,
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
        templates=UnusedTemplates(parts.registry, copies, clock=clock, now=now),
        room_came_free=queue.wake,
        expiry=settings.medea_expiry,
        retention_days=settings.medea_retention_days,
        now=now,
        clock=clock,
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
        keeper=make_keeper(front, settings),
        clock=clock,
    )
    return ControllerParts(controller, watches, work, targets, loop, sweep)


def own_users(front: Cluster, namespace: str) -> Callable[[str], bool]:
    """Whether a user name is one of Medea's: an account of its own namespace, or whoever this process is there.

    Each part of Medea has an account of its own, and so has a target, which the front door may be too.
    """

    @functools.cache
    def this_process() -> str:
        # Asked only when it is needed: the service may start before the front door does.
        review = front.create(SELF_REVIEWS, None, {}, read_timeout=OWN_NAME_TIMEOUT)
        return str(review["status"]["userInfo"]["username"])

    accounts = f"system:serviceaccount:{namespace}:medea"
    return lambda user: user.startswith(accounts) or user == this_process()


def _opted_in(namespaces: Informer) -> list[str] | None:
    """The names of the namespaces that opted in; None while the informer is not up to date."""
    return [namespace["metadata"]["name"] for namespace in namespaces.all()] if namespaces.current else None


def _make_mirror(front: Cluster, registry: Registry, known: Caches, *, host: str, port: int, sweep: float) -> Mirror:
    """The mirror of pods; `host` and `port` are where the front door's apiserver reaches the endpoint for logs."""
    virtual_nodes = VirtualNodes(front, host=host, port=port, registered=registry.registered)
    return Mirror(front=front, registry=registry, known=known, virtual_nodes=virtual_nodes, sweep=sweep)


def ledger_dsn(settings: Settings) -> str:
    """The ledger's DSN, from the settings; without an address it starts the embedded Postgres. Raises BadRequest."""
    if settings.medea_ledger_dsn and settings.postgresql_url:
        raise BadRequest("POSTGRESQL_URL and MEDEA_LEDGER_DSN are both set: one of them has to go")
    if settings.medea_ledger_dsn:
        return checked_dsn(settings.medea_ledger_dsn)
    if settings.postgresql_url:
        return conninfo_of_url(settings.postgresql_url, settings.postgresql_user, settings.postgresql_pass)
    return embedded_dsn(settings.medea_data)
