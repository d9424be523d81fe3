"""The calls of the Cloud Job Orchestrator, as one blueprint. Their docstrings appear on the OpenAPI page."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, jsonify, redirect, request
from spectree import Response as Documented
from spectree import SpecTree
from werkzeug import Response as WerkzeugResponse

from webhook import __version__
from webhook.api.bodies import ErrorBody
from webhook.api.gate import Gate
from webhook.api.http import body, json_app
from webhook.doors.calling import known_caller
from webhook.doors.classes.bodies import HealthBody, JobBody, QueueBody, QueuesBody, SubmitBody, SubmittedBody
from webhook.doors.classes.queue import checked_id
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import JobClass, Rules, RunBy
from webhook.doors.classes.submitting import Submitting
from webhook.doors.downloading import zip_answer
from webhook.doors.patience import give_time
from webhook.errors import Missing, quoted
from webhook.ledger import class_jobs
from webhook.ledger.class_jobs import Depth, JobState, NewJob
from webhook.ledger.pool import Pool
from webhook.model.limits.classes import RESULTS_TIME
from webhook.model.limits.files import CLIENT_SILENCE

SPEC = SpecTree("flask", title="Medea: job classes", version=__version__, path="apidoc", mode="strict")
_ERRORS = {f"HTTP_{status}": ErrorBody for status in (400, 401, 403, 413, 503)}


@dataclass(frozen=True)
class Deps:
    """The dependencies of the routes."""

    gate: Gate
    submitting: Submitting
    pool: Pool
    rules: Rules
    namespace: str
    results: Results | None = None


def create_classes_app(deps: Deps) -> Flask:
    """What submits jobs, and the OpenAPI page about it."""
    app = json_app("medea-classes")
    app.register_blueprint(blueprint(deps))
    SPEC.register(app)
    return app


def blueprint(deps: Deps) -> Blueprint:
    """The routes, which call `deps`. No body is read before the caller is known."""
    classes = Blueprint("classes", __name__)

    @classes.post("/submit-job")
    @SPEC.validate(
        json=SubmitBody, resp=Documented(HTTP_200=SubmittedBody, **_ERRORS), tags=["classes"], skip_validation=True
    )
    def submit() -> Response:
        """Submit a job; what it says of itself decides what runs it."""
        caller = known_caller(deps.gate, "create", deps.namespace)
        job = deps.submitting.submit(caller, body())
        answer = SubmittedBody(
            job_id=job.id,
            id=job.id,
            job_class=job.name,
            cost=job.cost,
            platform=job.run_by,
            target=_target(job),
        )
        return jsonify(answer.model_dump(by_alias=True))

    @classes.get("/jobs/<job>")
    @SPEC.validate(
        resp=Documented(HTTP_200=JobBody, HTTP_404=ErrorBody, **_ERRORS), tags=["classes"], skip_validation=True
    )
    def show(job: str) -> Response:
        """How a job is, until its row is removed."""
        known_caller(deps.gate, "get", deps.namespace)
        return jsonify(_shown(deps, job).model_dump(by_alias=True))

    @classes.get("/jobs/<job>/results")
    @SPEC.validate(resp=Documented("HTTP_200", HTTP_404=ErrorBody, **_ERRORS), tags=["classes"], skip_validation=True)
    def results(job: str) -> Response:
        """The files that a job has left, as results.zip."""
        known_caller(deps.gate, "get", deps.namespace)
        give_time(request.environ, silence=CLIENT_SILENCE, whole=RESULTS_TIME)
        shown = _shown(deps, job)
        packed = deps.results.read(job) if deps.results and shown.status == JobState.DONE else None
        if packed is None:
            raise Missing(f"job {job} is {shown.status}, and has left no files")
        return zip_answer(packed, job)

    @classes.get("/queues/status")
    @SPEC.validate(resp=Documented(HTTP_200=QueuesBody, **_ERRORS), tags=["classes"], skip_validation=True)
    def queues() -> Response:
        """How long the queues are, one for each class, and where their jobs run."""
        known_caller(deps.gate, "list", deps.namespace)
        return jsonify(QueuesBody(dict(queues_of(deps))).model_dump())

    @classes.get("/health")
    @SPEC.validate(resp=Documented(HTTP_200=HealthBody), tags=["classes"], skip_validation=True)
    def health() -> Response:
        """That the door answers. Nobody has to be known for it."""
        return jsonify(HealthBody(status="healthy").model_dump())

    @classes.get("/swagger-ui/")
    def page() -> WerkzeugResponse:
        return redirect("/apidoc/swagger/")

    return classes


def queues_of(deps: Deps) -> Mapping[str, QueueBody]:
    """Each class that is set up, and each that is not any more and still has jobs."""
    depths, places = class_jobs.depths(deps.pool, deps.namespace), class_jobs.places(deps.pool, deps.namespace)
    holders = class_jobs.holders(deps.pool, deps.namespace)
    found = {}
    for name in dict.fromkeys((*deps.rules.classes, *depths)):
        depth, known = depths.get(name, Depth()), deps.rules.classes.get(name, JobClass())
        pools: dict[str, int] = {**dict.fromkeys(known.clusters, 0), **places.get(name, {})}
        if known.run_by is RunBy.WORKERS or name in holders:
            pools["workers"] = holders.get(name, 0)
        found[name] = QueueBody(
            depth=depth.waiting, oldest=depth.oldest, running=depth.running, platform=known.run_by, pools=pools
        )
    return found


def _shown(deps: Deps, number: str) -> JobBody:
    job = class_jobs.get(deps.pool, number) if checked_id(number) else None
    if job is None or job.namespace != deps.namespace or job.state == JobState.CLEANED:
        raise Missing(f"there is no job {quoted(number)}")
    return JobBody(
        job_id=job.id,
        job_class=job.name,
        cost=job.cost,
        status=job.state,
        reason=job.reason,
        platform=job.run_by,
        target=_target(job),
        deliveries=job.deliveries,
    )


def _target(job: NewJob) -> str:
    return job.workflow or job.name
