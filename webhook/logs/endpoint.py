"""A kubelet API for the virtual Nodes: logs, and what leads into pods."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from flask import Flask, Response, request
from prometheus_client import Counter
from werkzeug.exceptions import HTTPException

from webhook.errors import BadRequest, Busy, Forbidden, MedeaError, Unavailable
from webhook.kube.log_stream import LogStream
from webhook.logs.access import Access
from webhook.logs.options import read_options
from webhook.logs.reader import Reader
from webhook.logs.sessions import Sessions, sessions_blueprint
from webhook.logs.streams import Streams, is_gone
from webhook.model.limits.logs import READERS_PATIENCE

log = structlog.get_logger(__name__)
_READS = Counter("medea_log_requests_total", "Logs that were asked for", ["outcome"])


class BrokeOff(ConnectionError):
    """The rest of a log is missing. Cuts the reader's connection, so that nobody takes the log for complete."""


@dataclass(frozen=True)
class Endpoint:
    """Answers requests for logs."""

    reader: Reader
    access: Access
    streams: Streams

    def read(self, namespace: str, pod: str, container: str) -> Response:
        """One container's log, with the options from the current request's query."""
        client: ssl.SSLSocket = request.environ["gunicorn.socket"]
        self.access.check(client.getpeercert() or {}, verb="get")
        options = read_options(container, request.args)
        self.streams.take()
        try:
            source = self.reader.find(namespace, pod)
            found = self.reader.open(source, options, lambda: not is_gone(client))
            if found is None:
                raise BadRequest("nobody waits for this log any more")
            return self._answer(found, client)
        except BaseException:
            self.streams.release()
            raise

    def _answer(self, found: LogStream, client: ssl.SSLSocket) -> Response:
        try:
            client.settimeout(READERS_PATIENCE)
            forget = self.streams.watch(client, found.end)
        except OSError as error:
            found.close()
            raise BadRequest("nobody waits for this log any more") from error

        def close() -> None:
            forget()
            found.close()
            self.streams.release()

        # Headers are sent with the first piece of the log, as by a kubelet.
        answer = Response(_pieces(found), mimetype="text/plain")
        answer.call_on_close(close)
        _READS.labels("ok").inc()
        return answer


def create_log_app(endpoint: Endpoint, sessions: Sessions) -> Flask:
    """The WSGI application for the logs' port, which only the front door's apiserver may use."""
    app = Flask("medea-logs")
    app.register_blueprint(sessions_blueprint(sessions))

    @app.get("/containerLogs/<namespace>/<pod>/<container>")
    def container_logs(namespace: str, pod: str, container: str) -> Response:
        return endpoint.read(namespace, pod, container)

    app.register_error_handler(MedeaError, _known)
    app.register_error_handler(HTTPException, _unknown_route)
    app.register_error_handler(Exception, _bug)
    return app


def _pieces(found: LogStream) -> Iterator[bytes]:
    try:
        yield from found.pieces()
    except Unavailable as error:
        log.warning("log broke off", reason=error.message)
        raise BrokeOff from error


def _known(error: MedeaError) -> Response:
    """Answer 400 or 500 where possible: the apiserver passes on the messages of these only, and readers need them."""
    _READS.labels(error.code).inc()
    own = error.status if isinstance(error, Busy | Forbidden) else None
    status = own or (500 if isinstance(error, Unavailable) else 400)
    return Response(error.message, status, mimetype="text/plain")


def _unknown_route(error: HTTPException) -> Response:
    words = f"Medea stands for a target here, and serves logs, exec, attach and port forwarding only: {request.method} "
    words += f"{request.path}\n"
    return Response(words, error.code, mimetype="text/plain")


def _bug(_: Exception) -> Response:
    log.exception("bug", path=request.path)
    _READS.labels("internal").inc()
    return Response("something is wrong inside Medea; its log has the details\n", 500, mimetype="text/plain")
