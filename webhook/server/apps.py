"""The WSGI applications of the doors. Each answers its own routes only; the one for logs is in `webhook.logs`."""

from flask import Flask, Response, jsonify, request

from webhook.admission.review import Admission
from webhook.admission.wire import deadline_of, decode
from webhook.api.http import body, json_app
from webhook.api.plugin import plugin_blueprint
from webhook.api.routes import SPEC, Deps, blueprint
from webhook.api.steps import Steps
from webhook.doors.nodes import routes as nodes_routes
from webhook.doors.split import routes as split_routes
from webhook.errors import Unavailable
from webhook.kube.threads import dead_threads
from webhook.server.clients import Clients
from webhook.wiring.doors import Background


def create_webhook_app(admission: Admission, background: Background, clients: Clients) -> Flask:
    """What the front door's apiserver calls, and probes."""
    app = json_app("medea-webhook")

    @app.post("/mutate")
    def mutate() -> Response:
        clients.check(request.environ)
        deadline = deadline_of(request.args.get("timeout"))
        return jsonify(admission.review(decode(body()), deadline))

    @app.get("/healthz")
    def healthz() -> Response:
        dead = dead_threads()
        if dead:
            raise Unavailable(f"threads have ended that should not: {', '.join(dead)}; the log has the details")
        return jsonify({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> Response:
        reason = background.unready()
        if reason:
            raise Unavailable(reason)
        return jsonify({"status": "ready"})

    return app


def create_plugin_app(steps: Steps) -> Flask:
    """What the executor plugin in Argo's agents calls."""
    app = json_app("medea-plugin")
    app.register_blueprint(plugin_blueprint(steps))
    return app


def create_api_app(deps: Deps, nodes: nodes_routes.Deps, split: split_routes.Deps) -> Flask:
    """What people and their programs call, and the OpenAPI page about it.

    Balancer, scout, explanations and node placement; jobs that are split over targets, and the three trees.
    """
    app = json_app("medea-api")
    app.register_blueprint(blueprint(deps))
    app.register_blueprint(nodes_routes.blueprint(nodes))
    app.register_blueprint(split_routes.blueprint(split))
    SPEC.register(app)
    return app
