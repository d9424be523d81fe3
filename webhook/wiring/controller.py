"""The controller and its parts. Nothing is created at import."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

from webhook.controller.copies import Copies
from webhook.controller.facts import Gatherer
from webhook.controller.loop import Loop
from webhook.controller.origin_steps import OriginSteps
from webhook.controller.plan import Step
from webhook.controller.process import Controller
from webhook.controller.queue import Queue
from webhook.controller.reconciler import Reconciler
from webhook.controller.resting import Resting
from webhook.controller.splits.chunks import Chunks
from webhook.controller.splits.known import Reader
from webhook.controller.splits.steps import SplitSteps
from webhook.controller.subworkflows import Subworkflows
from webhook.controller.sweep import Sweep
from webhook.controller.target_steps import TargetSteps
from webhook.controller.targets import Targets
from webhook.controller.unused_copies import UnusedCopies
from webhook.controller.verbs import VerbExecutor
from webhook.controller.watches import Caches, Watches
from webhook.cron.reconciler import CronReconciler
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.informer import Informer
from webhook.kube.registry import Registry
from webhook.kube.workqueue import WorkQueue
from webhook.ledger.placements import was_origin
from webhook.logs.mirror import Mirror
from webhook.logs.virtual_nodes import VirtualNodes
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.controller import WORKERS_PER_TARGET
from webhook.namespaces.prepare import Plugin, Preparer
from webhook.namespaces.probe import Probes
from webhook.namespaces.reconciler import NamespaceReconciler
from webhook.run_events.mirror import EventMirror
from webhook.settings import Settings
from webhook.targets.profiles import Profiles
from webhook.targets.rotation import Rotation
from webhook.wiring.certificates import make_keeper
from webhook.wiring.parts import Parts, make_parts, opted_in_names


@dataclass(frozen=True)
class ControllerParts:
    """The parts of the controller; tests drive them one by one."""

    controller: Controller
    watches: Watches
    work: WorkQueue
    targets: Targets
    loop: Loop
    sweep: Sweep


def make_controller(settings: Settings) -> tuple[Parts, Controller]:
    """The controller, not started, and the shared parts."""
    parts = make_parts(settings)
    made = assemble_controller(parts, settings, recorder=EventRecorder(parts.front))
    opted_in = functools.partial(opted_in_names, made.watches.namespaces)
    parts.sampler.narrow_to(opted_in)
    parts.acceptance.narrow_to(opted_in)
    space, overview = settings.medea_targets_namespace, parts.placer.overview
    made.controller.beside(
        Rotation(parts.front, parts.registry, space),
        Profiles(parts.front, parts.registry, space, namespaces=opted_in, overview=overview),
    )
    made.watches.follow(EventMirror(front=parts.front, registry=parts.registry, known=made.watches.known))
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


def assemble_controller(
    parts: Parts,
    settings: Settings,
    *,
    recorder: EventRecorder,
    clock: Callable[[], float] = time.monotonic,
    now: Now = utc_now,
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
    watches = Watches(front, work, children, begin=begin, clock=clock)

    def left_the_queue(placement: str, target: str, namespace: str) -> None:
        work.add(placement, lane=target, share=namespace)

    queue = Queue(pool=pool, placer=parts.placer, changed=left_the_queue)
    parts.presence.on_change(queue.wake)
    plugin = Plugin(
        image=settings.medea_plugin_image,
        url=settings.medea_plugin_url,
        authority=authority or parts.authority_bundle,
        pull_secrets=settings.medea_agent_pull_secrets,
    )
    namespaces = NamespaceReconciler(
        pool=pool,
        origins=watches.origins.informer,
        recorder=recorder,
        probes=Probes(front, pool, patience=settings.medea_probe_quiet),
        writes=watches.foreign_writes,
        preparer=Preparer(front, plugin, clock=clock),
        default=settings.medea_hold,
    )
    origin_steps = OriginSteps(front, pool, recorder, queue.wake)
    copies = Copies(clock=clock)
    target_steps = TargetSteps(
        front,
        targets,
        pool,
        recorder,
        queue.wake,
        parts.placer.pause,
        parts.acceptance.refused,
        parts.placer.bar,
        copies,
    )
    split_steps = SplitSteps(
        front=front,
        pool=pool,
        recorder=recorder,
        reader=Reader(pool),
        chunks=Chunks(
            front,
            pool,
            watches.origins.informer,
            opted_in=lambda namespace: watches.namespaces.get("", namespace) is not None,
            names=lambda: frozenset(parts.registry.names()),
        ),
        overview=parts.placer.overview,
        away=targets.away,
        namespace=lambda namespace: watches.namespaces.get("", namespace),
        again=work.add,
        remove=target_steps.acts()[Step.REMOVE],
        now=now,
    )
    verbs = VerbExecutor(front, targets, pool, recorder, queue.wake)
    reconciler = Reconciler(
        front=front,
        targets=targets,
        gatherer=Gatherer(front, pool, watches.origins, watches.runs, watches.made, targets, now),
        acts={**origin_steps.acts(), **target_steps.acts(), **split_steps.acts(), **verbs.acts()},
        recorder=recorder,
    )
    crons = CronReconciler(
        front=front,
        crons=watches.crons,
        namespaces=watches.namespaces,
        children=watches.cron_children,
        ran=functools.partial(was_origin, pool),
        default=settings.medea_hold,
        now=now,
    )
    loop = Loop(
        work=work,
        reconciler=reconciler,
        children=children,
        namespaces=namespaces,
        crons=crons,
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
        templates=UnusedCopies(parts.registry, copies, clock=clock, now=now),
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


def _make_mirror(front: Cluster, registry: Registry, known: Caches, *, host: str, port: int, sweep: float) -> Mirror:
    """The mirror of pods; `host` and `port` are where the front door's apiserver reaches the endpoint for logs."""
    virtual_nodes = VirtualNodes(front, host=host, port=port, registered=registry.registered)
    return Mirror(front=front, registry=registry, known=known, virtual_nodes=virtual_nodes, sweep=sweep)
