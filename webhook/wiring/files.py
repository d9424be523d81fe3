"""What the door for jobs with files consists of. Nothing is created at import."""

import os
import threading
from dataclasses import dataclass

from webhook.api.rights import Rights
from webhook.doors.files import dispatch, routes
from webhook.doors.files.dispatch import Dispatcher
from webhook.doors.files.limits import RunsPerUser, runs_per_user
from webhook.doors.files.sweep import Sweep
from webhook.doors.files.uploads import Slots, Uploads
from webhook.doors.speaking import Speaking
from webhook.doors.store import Access, Store
from webhook.doors.templates import Templates
from webhook.ledger.pool import Pool
from webhook.model.contract import SERVICE
from webhook.settings import Settings
from webhook.wiring.doors import Background, gate_of, holds_of, needs_ledger, needs_namespaces
from webhook.wiring.parts import check_set, front_of, ledger_dsn


@dataclass(frozen=True)
class FilesPlace:
    """What has to be set for this door: where jobs are submitted, where their files are, and the limits of services."""

    namespace: str
    access: Access
    limits: RunsPerUser


@dataclass(frozen=True)
class FilesDoor:
    """What this door serves."""

    files: routes.Deps
    background: Background


def files_place(settings: Settings) -> FilesPlace:
    """Raises MedeaError with the setting that is missing, BadRequest with the variable that is wrong."""
    wanted = {
        "MEDEA_FILES_NAMESPACE": settings.medea_files_namespace,
        "MEDEA_S3_ENDPOINT": settings.medea_s3_endpoint,
        "MEDEA_S3_BUCKET": settings.medea_s3_bucket,
    }
    check_set("the door for files needs", wanted)
    return FilesPlace(str(settings.medea_files_namespace), store_access(settings), runs_per_user(os.environ))


def store_access(settings: Settings) -> Access:
    """Where the store of the doors is; its endpoint and its bucket must be set."""
    return Access(
        endpoint=str(settings.medea_s3_endpoint),
        bucket=str(settings.medea_s3_bucket),
        region=settings.medea_s3_region,
        access_key=settings.medea_s3_access_key,
        secret_key=settings.medea_s3_secret_key,
        ca=settings.medea_s3_ca,
    )


def make_files(settings: Settings, place: FilesPlace) -> FilesDoor:
    """The door, not started."""
    front, pool, store = front_of(settings), Pool(ledger_dsn(settings)), Store(place.access)
    holds = holds_of(front, pool, settings)
    services = Templates(front, place.namespace, label=SERVICE, field="service", plural="services")
    speaking = Speaking(Rights(front))
    dispatcher = Dispatcher(dispatch.Deps(front, pool, store, services, place.limits, holds, place.namespace))
    uploads = Uploads(
        pool=pool,
        store=store,
        services=services,
        speaking=speaking,
        slots=Slots(settings.medea_files_uploads),
        queued=dispatcher.look_at_line,
        namespace=place.namespace,
        prefix=settings.medea_s3_prefix,
        largest=settings.medea_files_largest,
        longest=settings.medea_files_upload_seconds,
        most_queued=settings.medea_files_queued_per_user,
    )
    stopping = threading.Event()
    sweep = Sweep(
        front=front,
        pool=pool,
        store=store,
        dispatcher=dispatcher,
        namespace=place.namespace,
        interval=settings.medea_sweep_interval,
        keep=settings.jobs_kept,
        longest_upload=settings.medea_files_upload_seconds,
        stop=stopping,
    )
    starts = [part.start for part in (pool, holds, services, dispatcher, sweep)]
    needs = needs_namespaces(holds) | {"the services are not known yet": services.known}
    deps = routes.Deps(gate_of(front, holds, settings), speaking, uploads, pool, store, place.namespace)
    return FilesDoor(deps, Background(starts, needs_ledger(pool) | needs, stopping))
