"""What each door serves, and what works in its background. Nothing is created at import."""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from webhook.admission.review import Admission
from webhook.admission.stub import AgentPods
from webhook.api.argoserver import ArgoServer
from webhook.api.balancer import Balancer
from webhook.api.gate import ClosedGate, Gate, OpenGate
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.routes import Deps
from webhook.api.run_step import RunSteps
from webhook.api.steps import Steps
from webhook.api.tokens import Tokens
from webhook.api.workflow_steps import WorkflowSteps
from webhook.doors.nodes import routes as nodes_routes
from webhook.doors.nodes.nodes import Nodes
from webhook.doors.split import routes as split_routes
from webhook.doors.split.jobs import Jobs
from webhook.doors.split.trees import Trees
from webhook.kube.client import Cluster, front_door_for_others
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.kube.resources import SELF_REVIEWS
from webhook.ledger.pool import Pool
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint
from webhook.logs.places import Places
from webhook.logs.reader import Reader
from webhook.logs.sessions import Sessions
from webhook.logs.streams import Streams
from webhook.model.limits.admission import OWN_NAME_TIMEOUT
from webhook.namespaces.hold import Holds
from webhook.namespaces.prepared import Prepared
from webhook.settings import Api, Settings
from webhook.targets.argo_configs import ArgoConfigs
from webhook.wiring.nodes import QuestionsPlace, make_questions
from webhook.wiring.parts import Parts, front_of, kubeconfig_of, ledger_dsn, make_parts, opted_in_names


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
    nodes: nodes_routes.Deps
    split: split_routes.Deps
    background: Background


@dataclass(frozen=True)
class LogsDoor:
    """What the logs' door serves."""

    endpoint: Endpoint
    sessions: Sessions
    background: Background


def make_webhook(settings: Settings) -> WebhookDoor:
    """The webhook, not started."""
    parts = make_parts(settings)
    holds, argo_configs = _holds(parts, settings), ArgoConfigs(parts.registry)
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
        presence=parts.presence,
        argo_configs=argo_configs.of,
    )
    placing = _placing(parts, holds)
    return WebhookDoor(admission, replace(placing, starts=[*placing.starts, argo_configs.start]))


def make_plugin(settings: Settings) -> PluginDoor:
    """What answers the plugin, not started."""
    front, pool = front_of(settings), Pool(ledger_dsn(settings))
    slots, rights = _slots(settings), Rights(front)
    steps = Steps(
        front,
        pool,
        rights,
        Tokens(front),
        others=WorkflowSteps(front, pool, _argo_server(settings, slots), rights, own=front.authorization),
        sub_workflows=RunSteps(front, pool, slots, rights),
    )
    return PluginDoor(steps, Background([pool.start], needs_ledger(pool)))


def make_api(settings: Settings, questions: QuestionsPlace | None) -> ApiDoor:
    """Balancer, scout, explanations, node placement, jobs and trees, not started.

    Questions about nodes come over RabbitMQ too where that has a place.
    """
    parts = make_parts(settings)
    holds, slots = _holds(parts, settings), _slots(settings)
    balancer = Balancer(parts.front, parts.registry, parts.pool, slots, _argo_server(settings, slots))
    gate = gate_of(parts.front, holds, settings)
    nodes, placing = Nodes(parts.registry, settings.argo_namespace), _placing(parts, holds)
    asked = [] if questions is None else make_questions(questions, parts.front, nodes, placing.stopping)
    starts = [*placing.starts, *(part.start for part in asked)]
    return ApiDoor(
        Deps(gate, parts.placer, parts.pool, balancer),
        nodes_routes.Deps(gate, nodes, slots),
        _split(parts, holds, gate, settings),
        replace(placing, starts=starts),
    )


def _split(parts: Parts, holds: Holds, gate: Gate, settings: Settings) -> split_routes.Deps:
    """Jobs and the three trees."""
    trees = Trees(
        parts.front,
        parts.pool,
        overview=parts.placer.overview,
        namespace=lambda name: holds.namespaces.get("", name),
        space=settings.medea_targets_namespace,
    )
    jobs = Jobs(gate, parts.pool, settings.medea_jobs_unit)
    return split_routes.Deps(gate, jobs, trees, settings.medea_jobs_namespace, settings.medea_jobs_template)


def gate_of(front: Cluster, holds: Holds, settings: Settings) -> Gate:
    """Who is let in: whoever the settings say."""
    if settings.medea_api is Api.OPEN:
        return OpenGate(holds, front)
    others = front_door_for_others(kubeconfig_of(settings))
    return ClosedGate(Tokens(front), Rights(front), holds, others.bearing)


def make_logs(settings: Settings) -> LogsDoor:
    """What serves logs of mirrored pods and leads into them, not started."""
    front, pool = front_of(settings), Pool(ledger_dsn(settings))
    registry, streams = Registry(front, settings.medea_targets_namespace), Streams(settings.medea_logs_streams)
    prober = TargetProber(registry)
    background = Background(
        [pool.start, registry.start, prober.start, streams.start], needs_ledger(pool) | _needs_targets(registry)
    )
    reader, access = Reader(front, registry, pool), Access(front)
    sessions = Sessions(reader.find, access, Places(settings.medea_logs_sessions))
    return LogsDoor(Endpoint(reader, access, streams), sessions, background)


def _placing(parts: Parts, holds: Holds) -> Background:
    """The background work of a process that places Workflows."""
    parts_of_placing = (
        parts.pool,
        parts.sampler,
        parts.registry,
        parts.prober,
        parts.acceptance,
        parts.presence,
        holds,
    )
    starts = [part.start for part in parts_of_placing]
    return Background(starts, needs_ledger(parts.pool) | needs_namespaces(holds) | _needs_targets(parts.registry))


def needs_ledger(pool: Pool) -> dict[str, Callable[[], bool]]:
    return {"the ledger (Postgres) is not reachable yet": lambda: pool.wait(0)}


def needs_namespaces(holds: Holds) -> dict[str, Callable[[], bool]]:
    return {"the namespaces that opted in are not known yet": lambda: holds.namespaces.wait(0)}


def _needs_targets(registry: Registry) -> dict[str, Callable[[], bool]]:
    return {"the targets are not known yet": lambda: registry.wait(0)}


def holds_of(front: Cluster, pool: Pool, settings: Settings) -> Holds:
    """What knows of each namespace which hold it has."""
    return Holds(front, pool, default=settings.medea_hold, patience=settings.medea_probe_quiet)


def _holds(parts: Parts, settings: Settings) -> Holds:
    holds = holds_of(parts.front, parts.pool, settings)
    opted_in = functools.partial(opted_in_names, holds.namespaces)
    parts.sampler.narrow_to(opted_in)
    parts.acceptance.narrow_to(opted_in)
    return holds


def _slots(settings: Settings) -> ConcurrencyLimit:
    # Half of the threads, so that the other half answers whatever leads to no review while the front door is slow.
    return ConcurrencyLimit(settings.medea_threads // 2)


def _argo_server(settings: Settings, slots: ConcurrencyLimit) -> ArgoServer:
    ca = settings.medea_argo_server_ca
    return ArgoServer(settings.medea_argo_server, str(ca) if ca else None, slots)


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
