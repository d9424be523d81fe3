"""The calls about jobs and the three trees, as one blueprint. Their docstrings appear on the OpenAPI page."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, jsonify, request
from spectree import Response as Documented

from webhook.api.bodies import ErrorBody
from webhook.api.gate import Gate
from webhook.api.http import body
from webhook.api.routes import SPEC
from webhook.doors.split.bodies import AskedJob, Config, Desired, Inventory, JobBody
from webhook.doors.split.jobs import Jobs
from webhook.doors.split.parse import asking, job_id
from webhook.doors.split.trees import Trees
from webhook.errors import BadRequest, wrong_field
from webhook.kube.resources import checked_name

_ERRORS = {f"HTTP_{status}": ErrorBody for status in (400, 401, 403, 404, 409, 413, 422, 503)}


@dataclass(frozen=True)
class Deps:
    """The dependencies of the routes. `namespace` is where jobs go that name none, `template` what serves them."""

    gate: Gate
    jobs: Jobs
    trees: Trees
    namespace: str | None
    template: str


def blueprint(deps: Deps) -> Blueprint:
    """The routes, which call `deps`. Nothing is done, and no body read, before the caller is known."""
    split = Blueprint("split", __name__)

    @split.before_request
    def know_the_caller() -> None:
        g.caller = deps.gate.caller(request.headers)

    @split.post("/jobs")
    @SPEC.validate(json=AskedJob, resp=Documented(HTTP_200=JobBody, **_ERRORS), tags=["jobs"], skip_validation=True)
    def submit() -> Response:
        """Ask for a job of so much power. It is cut into chunks, which run wherever there is room."""
        wanted = asking(body(), namespace=deps.namespace, template=deps.template)
        return jsonify(deps.jobs.submit(g.caller, wanted).model_dump())

    @split.get("/jobs/<number>")
    @SPEC.validate(resp=Documented(HTTP_200=JobBody, **_ERRORS), tags=["jobs"], skip_validation=True)
    def job(number: str) -> Response:
        """How far a job is, and where it ran or runs."""
        return jsonify(deps.jobs.find(g.caller, job_id(number)).model_dump())

    @split.get("/inventory")
    @SPEC.validate(resp=Documented(HTTP_200=Inventory, **_ERRORS), tags=["trees"], skip_validation=True)
    def inventory() -> Response:
        """What is discovered: the targets, and their room for a namespace (`?namespace=`)."""
        return jsonify(deps.trees.inventory(_namespace(deps)).model_dump())

    @split.get("/config")
    @SPEC.validate(resp=Documented(HTTP_200=Config, **_ERRORS), tags=["trees"], skip_validation=True)
    def config() -> Response:
        """What people asked for in a namespace (`?namespace=`)."""
        return jsonify(deps.trees.config(_namespace(deps)).model_dump())

    @split.get("/desired")
    @SPEC.validate(resp=Documented(HTTP_200=Desired, **_ERRORS), tags=["trees"], skip_validation=True)
    def desired() -> Response:
        """What each target shall run in a namespace (`?namespace=`)."""
        return jsonify(deps.trees.desired(_namespace(deps)).model_dump())

    return split


def _namespace(deps: Deps) -> str:
    """The namespace that is asked about, once the caller may list its Workflows."""
    found = request.args.get("namespace") or deps.namespace
    if found is None:
        raise wrong_field(BadRequest, "namespace", None, "it must be there, since MEDEA_JOBS_NAMESPACE is not set")
    name = checked_name("namespace", found)
    deps.gate.check(g.caller, "list", name)
    return name
