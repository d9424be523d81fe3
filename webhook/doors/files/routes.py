"""The calls of the Orchestrator, as one blueprint. Their docstrings appear on the OpenAPI page."""

from dataclasses import dataclass

from flask import Blueprint, Flask, Response, jsonify, redirect, request
from spectree import Response as Documented
from spectree import SpecTree
from werkzeug import Response as WerkzeugResponse

from webhook import __version__
from webhook.api.bodies import ErrorBody
from webhook.api.gate import Caller, Gate
from webhook.api.http import drain, header_of, json_app
from webhook.doors.calling import known_caller
from webhook.doors.downloading import HEADERS, MIMETYPE, zip_answer
from webhook.doors.files.bodies import HealthBody, JobBody, PingBody, UploadForm
from webhook.doors.files.names import checked_id, shown_user
from webhook.doors.files.uploads import Uploads
from webhook.doors.files.workflow import results_key
from webhook.doors.patience import give_time
from webhook.doors.speaking import Speaking
from webhook.doors.store import Store
from webhook.errors import MedeaError, Missing, Unavailable
from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import Job, JobState
from webhook.ledger.pool import Pool
from webhook.model.limits.files import CLIENT_SILENCE, UPLOAD_SLOT_WAIT

SPEC = SpecTree("flask", title="Medea: jobs with files", version=__version__, path="apidoc", mode="strict")
_ERRORS = {f"HTTP_{status}": ErrorBody for status in (400, 401, 403, 413, 429, 503)}
_STATUS = {
    JobState.QUEUED: "Queued",
    JobState.SUBMITTED: "Submitted",
    JobState.DONE: "Completed",
    JobState.FAILED: "Failed",
    JobState.CLEANED: "Cleaned",
}
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Deps:
    """The dependencies of the routes."""

    gate: Gate
    speaking: Speaking
    uploads: Uploads
    pool: Pool
    store: Store
    namespace: str


def create_files_app(deps: Deps) -> Flask:
    """What portals call, and the OpenAPI page about it."""
    app = json_app("medea-files")
    # Bodies are read piece by piece, and limited there.
    app.config["MAX_CONTENT_LENGTH"] = None
    app.register_blueprint(blueprint(deps))
    SPEC.register(app)
    with app.app_context():
        _document_head()
    return app


def blueprint(deps: Deps) -> Blueprint:
    """The routes, which call `deps`. No body is read before the caller is known."""
    files = Blueprint("files", __name__)

    @files.post("/upload")
    @SPEC.validate(form=UploadForm, resp=Documented(HTTP_200=JobBody, **_ERRORS), tags=["files"], skip_validation=True)
    def upload() -> Response:
        """Submit a job: any number of `file`, and for whom, and the service that works on them."""
        try:
            caller = _caller(deps, "create")
            accepted = deps.uploads.receive(caller, request.headers.get("Content-Type"), request.stream)
        except MedeaError:
            drain()
            raise
        queued = JobBody(
            id=accepted.id,
            user_id=shown_user(accepted.user_id),
            service=accepted.service,
            status="Queued",
            loc=_location(deps, accepted.folder),
            dest_id="",
        )
        return jsonify(queued.model_dump())

    @files.route("/download/<number>", methods=["GET", "HEAD"])
    @SPEC.validate(
        resp=Documented("HTTP_200", "HTTP_204", HTTP_202=JobBody, HTTP_404=ErrorBody, **_ERRORS),
        tags=["files"],
        skip_validation=True,
    )
    def download(number: str) -> Response:
        """The results of a job that is done, as results.zip; HEAD says only how it is.

        202: it is queued or running. 204: it has failed, or its results were removed; Medea-Reason says which.
        """
        job = _job(deps, _caller(deps, "get"), checked_id(number))
        if job is None or job.state in (JobState.FAILED, JobState.CLEANED):
            return _nothing(job)
        if job.state != JobState.DONE:
            return _not_yet(deps, job)
        return _results(deps, job)

    @files.get("/health")
    @SPEC.validate(resp=Documented(HTTP_200=HealthBody, HTTP_503=ErrorBody), tags=["health"], skip_validation=True)
    def health() -> Response:
        """That the door answers, and its ledger too. Nobody has to be known for it."""
        file_jobs.get(deps.pool, 0)
        return jsonify(HealthBody(status="ok", database="ok").model_dump())

    @files.get("/")
    @SPEC.validate(resp=Documented(HTTP_200=PingBody), tags=["health"], skip_validation=True)
    def ping() -> Response:
        """That somebody is there."""
        return jsonify(PingBody(message="pong").model_dump())

    @files.get("/swagger-ui/")
    @files.get("/swagger/")
    def page() -> WerkzeugResponse:
        return redirect("/apidoc/swagger/")

    return files


def _document_head() -> None:
    """Spectree leaves HEAD out of its document, and here it is a call of its own."""
    calls = SPEC.spec["paths"]["/download/{number}"]
    calls["head"] = {
        **calls["get"],
        "operationId": "head_download__number_",
        "summary": "How a job is: 200 done, 202 queued or running, 204 failed or removed, 404 unknown.",
    }


def _caller(deps: Deps, right: str) -> Caller:
    """Who calls. Raises Unauthenticated, or Forbidden unless they may do as much with Workflows."""
    caller = known_caller(deps.gate, right, deps.namespace)
    give_time(request.environ, silence=CLIENT_SILENCE, whole=deps.uploads.longest + UPLOAD_SLOT_WAIT)
    return caller


def _job(deps: Deps, caller: Caller, number: int) -> Job | None:
    """The job; None if there was one whose row is gone. Raises Missing too if it is not the caller's to know."""
    job = file_jobs.get(deps.pool, number)
    if job is None and file_jobs.was_given(deps.pool, number):
        return None
    unknown = Missing(f"there is no job {number}")
    if job is None or job.state == JobState.RECEIVING:
        raise unknown
    mine = caller.identity is None or caller.identity.user == job.uploader
    if not mine and not deps.speaking.allowed(caller, job.namespace, job.user_id):
        raise unknown
    return job


def _nothing(job: Job | None) -> Response:
    reason = job.reason if job and job.state == JobState.FAILED else "its results were removed"
    return Response(status=204, headers={"Medea-Reason": header_of(reason, longest=_LONGEST_REASON)})


def _not_yet(deps: Deps, job: Job) -> Response:
    shown = JobBody(
        id=job.id,
        user_id=shown_user(job.user_id),
        service=job.service,
        status=_STATUS[JobState(job.state)],
        loc=_location(deps, job.folder),
        dest_id=job.workflow,
    )
    answer = jsonify(shown.model_dump())
    answer.status_code = 202
    return answer


def _results(deps: Deps, job: Job) -> Response:
    if request.method == "HEAD":
        return Response(mimetype=MIMETYPE, headers=HEADERS)
    packed = deps.store.read(results_key(job.folder))
    if packed is None:
        raise Unavailable(f"the results of job {job.id} are not in the store")
    return zip_answer(packed, job.id)


def _location(deps: Deps, folder: str) -> str:
    return f"s3://{deps.store.bucket}/{folder}"
