"""Shared by all routes: reading bodies, and the JSON format of errors."""

import contextlib

import structlog
from flask import Flask, Response, jsonify, request
from gunicorn.http.errors import ParseException
from prometheus_client import Counter
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from webhook.errors import BadRequest, Forbidden, MedeaError, TooLarge, Unauthenticated, quoted
from webhook.model.limits.api import LARGEST_BODY, MOST_DRAINED

log = structlog.get_logger(__name__)

_REFUSED = Counter("medea_refused_requests_total", "Requests of callers who are not known, or not allowed", ["code"])

BROKEN = (OSError, ParseException, ClientDisconnected)
"""What reading a body raises if the client goes, falls silent, or sends chunks that are none."""
_PIECE = 64 * 1024
_WORDS = {404: "not_found", 405: "method_not_allowed"}


def json_app(name: str) -> Flask:
    """A WSGI application without routes, whose bodies are limited and whose errors are JSON."""
    app = Flask(name)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.register_error_handler(MedeaError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
    return app


def body() -> bytes:
    """The request's body. Raises TooLarge, or BadRequest if it breaks off."""
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        drain()
        raise _too_large() from error
    except BROKEN as error:
        raise BadRequest(f"the body breaks off: {quoted(str(error))}") from error


def header_of(words: str, *, longest: int) -> str:
    """Words as a header can have them: of one line, in ASCII, with at most so many characters."""
    return "".join(one if " " <= one <= "~" else "?" for one in words)[:longest]


def drain() -> None:
    """Read the rest of a body that is not taken: a client that is cut off while it writes never sees the answer."""
    rest = request.environ["wsgi.input"]
    # Whoever is gone sees no answer anyway.
    with contextlib.suppress(*BROKEN):
        for _ in range(MOST_DRAINED // _PIECE):
            if not rest.read(_PIECE):
                return


def _known(error: MedeaError) -> tuple[Response, int]:
    answer = jsonify(error.as_json())
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unauthenticated | Forbidden):
        _REFUSED.labels(error.code).inc()
        log.warning(
            "refused", remote=request.remote_addr, method=request.method, path=request.path, **error.as_json()["error"]
        )
    return answer, error.status


def _http(error: HTTPException) -> tuple[Response, int]:
    status = error.code or 500
    if status == 413:
        return _known(_too_large())
    if status == 400:
        return _known(BadRequest(str(error.description)))
    code = _WORDS.get(status, "http_error")
    return jsonify({"error": {"code": code, "message": f"{request.method} {request.path}: {error.name}"}}), status


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {LARGEST_BODY} bytes")


def _bug(_: Exception) -> tuple[Response, int]:
    log.exception("bug", path=request.path)
    return jsonify(MedeaError("something is wrong inside Medea; its log has the details").as_json()), 500
