"""What the door for job classes and its workers consist of. Nothing is created at import."""

import os
import socket
import ssl
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from webhook.doors.broker import Address, Broker, Consumer
from webhook.doors.classes import dispatch, routes
from webhook.doors.classes.command import Command
from webhook.doors.classes.config import read_rules
from webhook.doors.classes.dispatch import Dispatcher
from webhook.doors.classes.outbox import Outbox
from webhook.doors.classes.queue import queue_of
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import Rules, RunBy
from webhook.doors.classes.submitting import Submitting
from webhook.doors.classes.sweep import Sweep
from webhook.doors.classes.worker import Worker
from webhook.doors.store import Store
from webhook.doors.templates import Templates
from webhook.errors import BadRequest, MedeaError, quoted
from webhook.ledger.pool import Pool
from webhook.model.contract import JOB_CLASS
from webhook.settings import Settings
from webhook.wiring.doors import Background, gate_of, holds_of, needs_ledger, needs_namespaces
from webhook.wiring.files import store_access
from webhook.wiring.parts import check_set, front_of, ledger_dsn

_PORTS = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True)
class ClassesPlace:
    """What has to be set for this door. `broker` is None if no class is run by workers."""

    namespace: str
    rules: Rules
    broker: Address | None


@dataclass(frozen=True)
class ClassesDoor:
    """What this door serves."""

    classes: routes.Deps
    background: Background


@dataclass(frozen=True)
class WorkerProcess:
    """A worker, not started, and why it is not ready."""

    pool: Pool
    consumer: Consumer

    def start(self) -> None:
        """Begin to take jobs."""
        self.pool.start()
        self.consumer.start()

    def unready(self) -> str | None:
        """Why it takes no jobs; None if it does."""
        if not self.pool.wait(0):
            return "the ledger (Postgres) is not reachable yet"
        return None if self.consumer.wait(0) else "RabbitMQ is not reachable"


def classes_place(settings: Settings) -> ClassesPlace:
    """Raises MedeaError with the setting that is missing, BadRequest with what is wrong in the configuration."""
    check_set("the door for job classes needs", {"MEDEA_CLASSES_NAMESPACE": settings.medea_classes_namespace})
    rules = _rules(settings)
    with_workers = [name for name, one in rules.classes.items() if one.run_by is RunBy.WORKERS]
    if with_workers and not settings.rabbitmq_url:
        raise MedeaError(f"the door for job classes needs RABBITMQ_URL: workers run {', '.join(with_workers)}")
    return ClassesPlace(str(settings.medea_classes_namespace), rules, _address(settings) if with_workers else None)


def make_classes(settings: Settings, place: ClassesPlace) -> ClassesDoor:
    """The door, not started."""
    front, pool = front_of(settings), Pool(ledger_dsn(settings))
    holds = holds_of(front, pool, settings)
    templates = Templates(front, place.namespace, label=JOB_CLASS, field="class", plural="job classes")
    results = _results(settings)
    dispatcher = Dispatcher(dispatch.Deps(front, pool, templates, place.rules, holds, place.namespace, results))
    # The queue of each class is made apart: one that can't be would keep all others from being reached.
    broker = Broker(place.broker) if place.broker else None
    queues = [name for name, one in place.rules.classes.items() if one.run_by is RunBy.WORKERS]
    outbox = Outbox(pool, broker, place.namespace, queues) if broker else None
    submitting = Submitting(
        pool=pool,
        rules=place.rules,
        templates=templates,
        dispatch=dispatcher.look_at,
        publish=outbox.wake if outbox else lambda: None,
        namespace=place.namespace,
    )
    stopping = threading.Event()
    sweep = Sweep(
        front=front,
        pool=pool,
        broker=broker,
        dispatcher=dispatcher,
        rules=place.rules,
        namespace=place.namespace,
        interval=settings.medea_sweep_interval,
        keep=settings.jobs_kept,
        stop=stopping,
        results=results,
    )
    starts = [part.start for part in (pool, holds, templates, dispatcher, sweep)]
    needs = needs_namespaces(holds) | {"the job classes are not known yet": templates.known}
    gate = gate_of(front, holds, settings)
    deps = routes.Deps(gate, submitting, pool, place.rules, place.namespace, results)
    return ClassesDoor(
        deps, Background([*starts, *([outbox.start] if outbox else [])], needs_ledger(pool) | needs, stopping)
    )


def make_worker(settings: Settings, name: str, command: Sequence[str], stop: threading.Event) -> WorkerProcess:
    """A worker for a class, not started. Raises MedeaError if a setting is missing, or the class is not for workers."""
    known = _rules(settings).classes.get(name)
    if known is None or known.run_by is not RunBy.WORKERS:
        raise MedeaError(f"{quoted(name)} is no class that workers run, by the placement configuration")
    check_set("a worker needs", {"RABBITMQ_URL": settings.rabbitmq_url})
    work = Command(command, around_command())
    work.check()
    pool = Pool(ledger_dsn(settings), size=2)
    worker = Worker(
        pool=pool,
        name=name,
        limits=known,
        command=work,
        # The same process is the same holder, and no other ever is.
        holder=f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}",
        results=_results(settings),
    )
    return WorkerProcess(pool, Consumer(_address(settings), queue_of(name), worker.handle, stop))


def around_command() -> dict[str, str]:
    """The environment of a worker's command: this process' without Medea's settings, which have its credentials."""
    settings = {field.upper() for field in Settings.model_fields}
    return {key: value for key, value in os.environ.items() if key.upper() not in settings}


def _rules(settings: Settings) -> Rules:
    if settings.medea_classes_config is None:
        return Rules()
    try:
        return read_rules(settings.medea_classes_config.read_text())
    except (OSError, ValueError) as error:
        raise BadRequest(f"MEDEA_CLASSES_CONFIG can't be read: {quoted(str(error))}") from error


def _results(settings: Settings) -> Results | None:
    """Where the files of jobs are; None without a store. Raises MedeaError if half of it is set."""
    given = {"MEDEA_S3_ENDPOINT": settings.medea_s3_endpoint, "MEDEA_S3_BUCKET": settings.medea_s3_bucket}
    if not any(given.values()):
        return None
    check_set("the store of the doors needs", given)
    return Results(Store(store_access(settings)), settings.medea_s3_prefix)


def _address(settings: Settings) -> Address:
    """Where RabbitMQ is. Raises BadRequest, without the password."""
    try:
        parts = urlsplit(str(settings.rabbitmq_url))
        port = parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise BadRequest("RABBITMQ_URL must be amqp://user:password@host:port/vhost") from error
    if not parts.hostname or not parts.username or parts.password is None:
        raise BadRequest("RABBITMQ_URL must have a user, a password and a host: amqp://user:password@host:port/vhost")
    return Address(
        parts.hostname,
        port,
        unquote(parts.username),
        unquote(parts.password),
        ca=_authorities(settings) if parts.scheme == "amqps" else None,
        vhost=unquote(parts.path[1:]) or "/",
    )


def _authorities(settings: Settings) -> Path:
    system = ssl.get_default_verify_paths().cafile
    if settings.medea_rabbitmq_ca is None and system is None:
        raise MedeaError("amqps:// needs MEDEA_RABBITMQ_CA: this system has no file of authorities")
    return settings.medea_rabbitmq_ca or Path(str(system))
