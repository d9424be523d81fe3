"""The plugin's HTTP interface: the one call that Argo's agent makes, and `/healthz`."""

import hmac
from http import HTTPStatus
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from plugin.medea import Medea, read_token
from plugin.question import BadCall, read
from plugin.settings import Settings

_LARGEST = 4 * 1024 * 1024
"""Bytes. More than any Workflow in etcd can have."""


def create_app(settings: Settings, medea: Medea) -> Flask:
    """The WSGI application. What Argo does with each status is in `docs/executor_plugins.md` of Argo's repository."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST

    @app.post("/api/v1/template.execute")
    def execute() -> Any:
        try:
            expected = read_token(settings.agent_token)
        except (OSError, ValueError) as error:
            return _error(503, "no_agent_token", f"the token of Argo's agent cannot be read: {error}")
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {expected}".encode()):
            return _error(403, "forbidden", "Authorization must be Bearer and the token of this pod's Argo agent")
        try:
            question = read(request.get_data())
        except BadCall as error:
            return _error(400, "bad_request", str(error))
        # An empty reply tells the agent to try the next plugin.
        return {} if question is None else medea.ask(question)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Any:
        status = HTTPStatus(error.code or 500)
        return _error(status, status.name.lower(), error.description or status.phrase)

    return app


def _error(status: int, code: str, message: str) -> tuple[dict[str, Any], int]:
    return {"error": {"code": code, "message": message}}, status
