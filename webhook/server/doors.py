"""The doors: what each serves, and where."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import structlog

from webhook.errors import MedeaError
from webhook.logs.endpoint import create_log_app
from webhook.model.limits.classes import CLASSES_THREADS
from webhook.model.limits.files import FILES_THREADS
from webhook.model.limits.server import SERVER_SPARE_THREADS
from webhook.server.apps import create_api_app, create_plugin_app, create_webhook_app
from webhook.server.clients import Clients
from webhook.server.server import Door, Served
from webhook.server.tls import AUTHORITY, Tls
from webhook.settings import Api, Settings
from webhook.wiring.doors import make_api, make_logs, make_plugin, make_webhook
from webhook.wiring.nodes import questions_place

log = structlog.get_logger(__name__)
_LOOPBACK = "127.0.0.1"


class DoorName(StrEnum):
    """The doors' names on the command line."""

    WEBHOOK = "webhook"
    PLUGIN = "plugin"
    API = "api"
    LOGS = "logs"
    FILES = "files"
    CLASSES = "classes"


def door_of(name: DoorName, settings: Settings) -> Door:
    """The door of this name. Raises MedeaError if it needs a setting that is missing."""
    makers: Mapping[DoorName, Callable[[Settings], Door]] = {
        DoorName.WEBHOOK: _webhook,
        DoorName.PLUGIN: _plugin,
        DoorName.API: _api,
        DoorName.LOGS: _logs,
        DoorName.FILES: _files,
        DoorName.CLASSES: _classes,
    }
    return makers[name](settings)


def wanted_doors(settings: Settings) -> list[DoorName]:
    """The doors that are served if none is named: all, but logs, files and classes only where they are set up."""
    set_up = {
        DoorName.LOGS: settings.medea_logs_certs,
        DoorName.FILES: settings.medea_files_namespace,
        DoorName.CLASSES: settings.medea_classes_namespace,
    }
    return [name for name in DoorName if set_up.get(name, True)]


def _webhook(settings: Settings) -> Door:
    def make() -> Served:
        made = make_webhook(settings)
        if settings.medea_webhook_client_name is None:
            log.warning(
                "reviews are taken from anybody who reaches the webhook's port: restrict it by a NetworkPolicy, or set "
                "MEDEA_WEBHOOK_CLIENT_CA and MEDEA_WEBHOOK_CLIENT_NAME"
            )
        clients = Clients(settings.medea_webhook_client_name)
        return Served(create_webhook_app(made.admission, made.background, clients), made.background)

    return Door(
        DoorName.WEBHOOK,
        (f"{settings.medea_bind}:{settings.medea_webhook_port}",),
        settings.medea_webhook_metrics_port,
        settings.medea_threads,
        Tls("MEDEA_CERTS", settings.medea_certs, settings.medea_webhook_client_ca),
        make,
    )


def _plugin(settings: Settings) -> Door:
    def make() -> Served:
        made = make_plugin(settings)
        return Served(create_plugin_app(made.steps), made.background)

    return Door(
        DoorName.PLUGIN,
        (f"{settings.medea_bind}:{settings.medea_plugin_port}",),
        settings.medea_plugin_metrics_port,
        settings.medea_threads,
        Tls("MEDEA_CERTS", settings.medea_certs),
        make,
    )


def _api(settings: Settings) -> Door:
    questions = questions_place(settings)

    def make() -> Served:
        made = make_api(settings, questions)
        if settings.medea_api is Api.OPEN:
            log.warning(
                "the API is open (MEDEA_API=open): whoever reaches it acts as Medea, without a token and without TLS. "
                f"It listens on {_LOOPBACK} only"
            )
        return Served(create_api_app(made.api, made.nodes, made.split), made.background)

    ports, metrics = (settings.medea_balancer_port, settings.medea_scout_port), settings.medea_api_metrics_port
    return _for_callers(settings, DoorName.API, ports, metrics, settings.medea_threads, make)


def _logs(settings: Settings) -> Door:
    folder = settings.medea_logs_certs
    if folder is None:
        raise MedeaError("the door for logs needs MEDEA_LOGS_CERTS, a folder with tls.crt, tls.key and ca.crt")

    def make() -> Served:
        made = make_logs(settings)
        return Served(create_log_app(made.endpoint, made.sessions), made.background)

    return Door(
        DoorName.LOGS,
        (f"{settings.medea_bind}:{settings.medea_logs_port}",),
        settings.medea_logs_metrics_port,
        # Each reader holds one for as long as its log is followed, and each session in a pod until its end.
        settings.medea_logs_streams + settings.medea_logs_sessions + SERVER_SPARE_THREADS,
        Tls("MEDEA_LOGS_CERTS", folder, folder / AUTHORITY, required=True),
        make,
    )


def _files(settings: Settings) -> Door:
    from webhook.doors.files.routes import create_files_app
    from webhook.wiring.files import files_place, make_files

    place = files_place(settings)

    def make() -> Served:
        made = make_files(settings, place)
        return Served(create_files_app(made.files), made.background)

    ports, metrics = (settings.medea_files_port,), settings.medea_files_metrics_port
    return _for_callers(settings, DoorName.FILES, ports, metrics, FILES_THREADS, make)


def _classes(settings: Settings) -> Door:
    from webhook.doors.classes.routes import create_classes_app
    from webhook.wiring.classes import classes_place, make_classes

    place = classes_place(settings)

    def make() -> Served:
        made = make_classes(settings, place)
        return Served(create_classes_app(made.classes), made.background)

    ports, metrics = (settings.medea_classes_port,), settings.medea_classes_metrics_port
    return _for_callers(settings, DoorName.CLASSES, ports, metrics, CLASSES_THREADS, make)


def _for_callers(
    settings: Settings, name: DoorName, ports: tuple[int, ...], metrics: int, threads: int, make: Callable[[], Served]
) -> Door:
    """A door for whoever calls: over TLS; where the API is open without it, and on this machine alone."""
    is_open = settings.medea_api is Api.OPEN
    address = _LOOPBACK if is_open else settings.medea_bind
    tls = None if is_open else Tls("MEDEA_CERTS", settings.medea_certs)
    return Door(name, tuple(f"{address}:{port}" for port in ports), metrics, threads, tls, make)
