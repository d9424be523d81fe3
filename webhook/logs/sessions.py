"""The part of a kubelet's API that leads into pods: exec, attach and port forwarding."""

import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog
from flask import Blueprint, Response, jsonify, request
from prometheus_client import Counter

from webhook.errors import BadRequest, Forbidden, MedeaError, NotAllowed
from webhook.kube.pod_connection import PodConnection
from webhook.logs.access import Access
from webhook.logs.places import Places
from webhook.logs.reader import Source
from webhook.logs.relay import relay, say_goodbye
from webhook.logs.session_request import Kind, SessionRequest, read_request
from webhook.model.limits.logs import LONGEST_SESSION_START, SESSION_PARTING, SESSION_SILENCE

log = structlog.get_logger(__name__)
_SESSIONS = Counter("medea_session_requests_total", "Connections into pods that were asked for", ["kind", "outcome"])
_METHODS = ("GET", "POST")
_REASONS = {
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}
"""Kubernetes' words for HTTP statuses; for all others it is BadRequest."""


class _Over(Response):
    """The answer to a request whose connection has become something else, and has had its end."""

    def __call__(self, *_: Any) -> NoReturn:
        """Have gunicorn close the connection and write nothing to it."""
        raise StopIteration


@dataclass(frozen=True)
class Sessions:
    """Lets people into the pods of runs. `find` is the pod behind a mirrored one."""

    find: Callable[[str, str], Source]
    access: Access
    places: Places

    def enter(self, kind: Kind, namespace: str, pod: str, container: str | None) -> Response:
        """Serve the current request to the end of the session. Raises MedeaError before it has begun."""
        front: ssl.SSLSocket = request.environ["gunicorn.socket"]
        self.access.check(front.getpeercert() or {}, verb="create")
        asked = read_request(kind, container, request.args.to_dict(flat=False), request.headers.get)
        with self.places.one(kind, namespace):
            source = self.find(namespace, pod)
            _check_container(source, container)
            with contextlib.closing(_connect(source, asked)) as connection:
                _SESSIONS.labels(kind, "ok").inc()
                _serve(front, connection, kind=kind, namespace=namespace, pod=pod, cluster=source.cluster.name)
        return _Over()


def sessions_blueprint(sessions: Sessions) -> Blueprint:
    """The routes, to be served on the port for logs."""
    routes = Blueprint("sessions", __name__)

    @routes.route("/exec/<namespace>/<pod>/<container>", methods=_METHODS)
    def execute(namespace: str, pod: str, container: str) -> Response:
        return sessions.enter(Kind.EXEC, namespace, pod, container)

    @routes.route("/attach/<namespace>/<pod>/<container>", methods=_METHODS)
    def attach(namespace: str, pod: str, container: str) -> Response:
        return sessions.enter(Kind.ATTACH, namespace, pod, container)

    @routes.route("/portForward/<namespace>/<pod>", methods=_METHODS)
    def port_forward(namespace: str, pod: str) -> Response:
        return sessions.enter(Kind.PORT_FORWARD, namespace, pod, None)

    routes.register_error_handler(MedeaError, _refused)
    return routes


def _check_container(source: Source, container: str | None) -> None:
    if container is not None and container not in source.containers:
        raise BadRequest(
            f"the pod {source.pod} on {source.cluster.name} has no container {container} but "
            f"{', '.join(source.containers)}; what `kubectl debug` adds to a pod here is not started there"
        )


def _connect(source: Source, asked: SessionRequest) -> PodConnection:
    cluster, namespace = source.cluster, source.namespace
    try:
        return cluster.connect_to_pod(
            namespace,
            source.pod,
            asked.kind,
            method=asked.method,
            query=asked.query,
            upgrade=asked.upgrade,
            patience=LONGEST_SESSION_START,
        )
    except NotAllowed as error:
        raise Forbidden(
            f"{cluster.name} does not let Medea into pods of namespace {namespace} (pods/{asked.kind}). Its "
            f"administrator can: medea target add {cluster.name} --namespaces {namespace} --exec"
        ) from error


def _serve(front: ssl.SSLSocket, connection: PodConnection, *, kind: Kind, **about: str) -> None:
    """Pass everything on, until the end. Never raises: nobody understands an error on this connection any more."""
    began = time.monotonic()
    log.info("session begins", kind=kind, **about)
    try:
        front.settimeout(LONGEST_SESSION_START)
        front.sendall(connection.head)
        done = relay(front, connection.socket, silence=SESSION_SILENCE, parting=SESSION_PARTING)
        for one in (front, connection.socket):
            say_goodbye(one)
    except OSError as error:
        log.info("session broke off", kind=kind, reason=str(error), **about)
    except Exception:
        log.exception("bug", kind=kind, **about)
    else:
        seconds = round(time.monotonic() - began, 1)
        log.info("session ended", kind=kind, seconds=seconds, into=done.into, out=done.out, silent=done.silent, **about)


def _refused(error: MedeaError) -> tuple[Response, int]:
    """A Status of Kubernetes, which apiserver and kubectl pass on to the user as it is."""
    kind = request.path.split("/")[1].lower()
    _SESSIONS.labels(kind, error.code).inc()
    code = error.status if error.status in _REASONS else 400
    status = {"status": "Failure", "message": error.message, "reason": _REASONS.get(code, "BadRequest"), "code": code}
    return jsonify({"kind": "Status", "apiVersion": "v1", **status}), code
