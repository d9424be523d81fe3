"""The calls of the node allocator, as one blueprint of the API. Their docstrings appear on the OpenAPI page."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, jsonify, request
from spectree import Response as Documented

from webhook.api.bodies import ErrorBody
from webhook.api.gate import Gate
from webhook.api.http import body, header_of
from webhook.api.limits import ConcurrencyLimit
from webhook.api.routes import SPEC
from webhook.doors.nodes.bodies import PlaceQuery, SubmittedBody, WorkflowBody
from webhook.doors.nodes.manifest import Manifest, read_manifest
from webhook.doors.nodes.nodes import Nodes

_ERRORS = {f"HTTP_{status}": ErrorBody for status in (400, 401, 403, 404, 409, 413, 422, 429, 503)}
_LONGEST_WORDS = 1000


@dataclass(frozen=True)
class Deps:
    """The dependencies of the routes."""

    gate: Gate
    nodes: Nodes
    slots: ConcurrencyLimit


def blueprint(deps: Deps) -> Blueprint:
    """The routes, which call `deps`. No body is read before the caller is known."""
    nodes = Blueprint("nodes", __name__)

    @nodes.before_request
    def know_the_caller() -> None:
        g.caller = deps.gate.caller(request.headers)

    @nodes.post("/yaml")
    @SPEC.validate(
        query=PlaceQuery,
        json=WorkflowBody,
        resp=Documented(HTTP_200=WorkflowBody, **_ERRORS),
        tags=["nodes"],
        skip_validation=True,
    )
    def place() -> Response:
        """The same Workflow, with a nodeSelector on each template that asks for resources. Nothing is submitted.

        It is of the node pools of the target that it would go to now. Medea-Cluster names that, Medea-Nodes what went
        where.
        """
        manifest, namespace = _asked(deps)
        with deps.slots.one():
            answer = deps.nodes.place(g.caller.front, namespace, manifest)
        found = Response(answer.text, mimetype=answer.media)
        found.headers["Medea-Nodes"] = header_of(answer.words, longest=_LONGEST_WORDS)
        if answer.cluster:
            found.headers["Medea-Cluster"] = answer.cluster
        return found

    @nodes.post("/run")
    @SPEC.validate(
        query=PlaceQuery,
        json=WorkflowBody,
        resp=Documented(HTTP_200=SubmittedBody, **_ERRORS),
        tags=["nodes"],
        skip_validation=True,
    )
    def run() -> Response:
        """Submit a Workflow, as the caller. It goes to targets that have the node pools which it names."""
        manifest, namespace = _asked(deps)
        with deps.slots.one():
            done = deps.nodes.submit(g.caller.front, namespace, manifest)
        return jsonify(SubmittedBody(status="success", **vars(done)).model_dump())

    # As the original's own code has them; its README has them without.
    nodes.add_url_rule("/api/v1/yaml", "place_v1", place, methods=["POST"])
    nodes.add_url_rule("/api/v1/run", "run_v1", run, methods=["POST"])
    return nodes


def _asked(deps: Deps) -> tuple[Manifest, str]:
    manifest = read_manifest(body())
    namespace = deps.nodes.namespace_of(request.args.get("namespace"), manifest)
    deps.gate.check(g.caller, "create", namespace)
    return manifest, namespace
