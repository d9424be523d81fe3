"""The one route of the plugin's door."""

from flask import Blueprint, Response, jsonify, request

from webhook.api.bodies import PluginBody
from webhook.api.gate import bearer
from webhook.api.http import body
from webhook.api.steps import Steps
from webhook.model.json_input import parse_model


def plugin_blueprint(steps: Steps) -> Blueprint:
    """What the executor plugin asks on behalf of a Workflow's template."""
    api = Blueprint("plugin", __name__)

    @api.post("/api/v1/plugin")
    def plugin() -> Response:
        token = bearer(request.headers.get("Authorization"))
        return jsonify(steps.answer(token, parse_model(body(), PluginBody)))

    return api
