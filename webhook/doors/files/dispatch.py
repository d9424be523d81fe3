"""Submits jobs, in order and within the limits of their line, and follows each to its end.

A job's row says that it is submitted, and under which name, before its Workflow is created. Whoever comes later, after
a crash or in another replica, finds the same name and the same Workflow.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from webhook.doors.files.limits import RunsPerUser
from webhook.doors.files.plan import Do, Past, next_step
from webhook.doors.files.services import Services
from webhook.doors.files.store import Store
from webhook.doors.files.workflow import results_key, workflow_of
from webhook.errors import AlreadyExists, BadRequest, Clash, QuotaExceeded, Rejected, Unavailable
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, named_and_labelled
from webhook.kube.resources import WORKFLOWS
from webhook.kube.turns import take_turn
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import file_jobs, placements
from webhook.ledger.file_jobs import Job, JobState, Line
from webhook.ledger.pool import Pool
from webhook.model.contract import FILE_JOB
from webhook.model.deadline import Deadline
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.limits.files import FILES_WORKERS
from webhook.model.limits.namespaces import NAMESPACE_TIMEOUT
from webhook.model.objects import Object, labels, status_of
from webhook.model.subworkflows import ended
from webhook.namespaces.hold import Holds

log = structlog.get_logger(__name__)
_ENDED = Counter("medea_file_jobs_ended_total", "Jobs with files that have ended", ["outcome"])
_SUBMITTED = Counter("medea_file_jobs_submitted_total", "Jobs with files whose Workflow was created")
for _outcome in (JobState.DONE, JobState.FAILED):
    # Shown as 0 from the beginning, so that the first one counts as an increase.
    _ENDED.labels(_outcome)


@dataclass(frozen=True)
class Deps:
    """What a dispatcher works with."""

    front: Cluster
    pool: Pool
    store: Store
    services: Services
    limits: RunsPerUser
    holds: Holds
    namespace: str


class Dispatcher:
    """Works off a queue of lines and jobs."""

    def __init__(self, deps: Deps, *, work: WorkQueue | None = None) -> None:
        self._deps = deps
        self._work = work or WorkQueue(lane_limit=FILES_WORKERS)
        self._stop = threading.Event()
        self._watch = Informer(
            deps.front,
            WORKFLOWS,
            self._heard,
            selector=FILE_JOB,
            namespace=deps.namespace,
            keep=_end_of,
            shown_as="file-jobs",
        )

    def start(self) -> None:
        """Start to watch and to work."""
        self._watch.start()
        for number in range(FILES_WORKERS):
            threads.start_loop(f"files-{number}", self._turn, stop=self._stop)

    @property
    def watch(self) -> Informer:
        """The informer of the jobs' Workflows."""
        return self._watch

    def look_at_line(self, line: Line, *, sweep: bool = False) -> None:
        """Something may be submitted there."""
        self._work.add(json.dumps([line.namespace, line.service, line.user_id]), sweep=sweep)

    def look_at_job(self, job: int, *, sweep: bool = False) -> None:
        """Something may have become of it."""
        self._work.add(str(job), sweep=sweep)

    def goes_on(self, job: Job) -> bool:
        """Whether the watch knows that its Workflow is there and has not ended: then there is nothing to do."""
        known = self._watch.get(job.namespace, job.workflow) if self._watch.current else None
        return known is not None and known["metadata"]["uid"] == job.workflow_uid and ended(known) is None

    def step(self) -> bool:
        """Handle one line or job; False if there is none. For tests, which have no threads."""
        return take_turn(self._work, self._act, "looking at a job", wait=False)

    def _turn(self) -> None:
        take_turn(self._work, self._act, "looking at a job")

    def _heard(self, workflow: Object, gone: bool) -> None:
        """A running Workflow changes all the time; what counts is that it ends."""
        job = labels(workflow).get(FILE_JOB, "")
        if job.isascii() and job.isdigit() and (gone or ended(workflow) is not None):
            self.look_at_job(int(job))

    def _act(self, key: str) -> None:
        if key.startswith("["):
            self._serve(Line(*json.loads(key)))
        else:
            self._look_at(int(key))

    def _look_at(self, number: int) -> None:
        job = file_jobs.get(self._deps.pool, number)
        if job is None:
            return
        if job.workflow_uid is None:
            # It may have to be submitted, which is done in order.
            self.look_at_line(job.line)
        else:
            self._settle(job)

    def _serve(self, line: Line) -> None:
        """Submit what may be. One that can't be submitted now holds up those behind it, which keeps their order."""
        for job in file_jobs.take(self._deps.pool, line, limit=self._deps.limits.of(line.service)):
            self._settle(job)

    def _settle(self, job: Job) -> None:
        if job.state != JobState.SUBMITTED:
            return
        origin, past = self._look(job)
        step = next_step(job, origin, past)
        acts: dict[Do, Callable[[], None]] = {
            Do.NOTHING: lambda: None,
            Do.SUBMIT: lambda: self._submit(job),
            Do.NOTE: lambda: self._note(job, origin),
            Do.LOOK_FOR_RESULTS: lambda: self._look_for_results(job),
            Do.FAIL: lambda: self._end(job, JobState.FAILED, step.reason),
        }
        acts[step.do]()

    def _look(self, job: Job) -> tuple[Object | None, Past | None]:
        """The job's Workflow at the front door; or else what the ledger remembers of it."""
        origin = self._deps.front.find(WORKFLOWS, job.namespace, job.workflow)
        past = None if origin else self._past(job)
        if past is not None:
            # What is remembered may have come after that look, made by another replica.
            origin = self._deps.front.find(WORKFLOWS, job.namespace, job.workflow)
        return origin, past

    def _past(self, job: Job) -> Past | None:
        row = placements.by_origin(self._deps.pool, job.namespace, job.workflow)
        if row is None or row.bound_at is None:
            return None
        return Past(row.phase, row.message or "")

    def _submit(self, job: Job) -> None:
        body = workflow_of(job, self._template(job))
        try:
            made = self._deps.front.create(WORKFLOWS, job.namespace, body, read_timeout=SUBMIT_TIMEOUT)
        except AlreadyExists:
            # By another replica, or by an earlier try whose answer was lost: look at it.
            self.look_at_job(job.id)
            return
        except QuotaExceeded:
            raise
        except Rejected as error:
            self._end(job, JobState.FAILED, f"it was refused: {error.message}")
            return
        _SUBMITTED.inc()
        self._note(job, made)

    def _template(self, job: Job) -> str:
        """The service's WorkflowTemplate. Raises Unavailable: what was taken waits until there is one again."""
        if self._deps.holds.opted_in(job.namespace, Deadline.after(NAMESPACE_TIMEOUT)) is None:
            raise Unavailable(f"namespace {job.namespace} has not opted in to Medea any more")
        try:
            return self._deps.services.template_of(job.service)
        except (BadRequest, Clash) as error:
            raise Unavailable(error.message) from error

    def _note(self, job: Job, origin: Object | None) -> None:
        assert origin is not None
        file_jobs.exists(self._deps.pool, job.id, str(origin["metadata"]["uid"]))

    def _look_for_results(self, job: Job) -> None:
        found = self._deps.store.size(results_key(job.folder)) is not None
        if found:
            self._end(job, JobState.DONE, "")
        else:
            self._end(job, JobState.FAILED, f"Workflow {job.workflow} succeeded and left no {results_key(job.folder)}")

    def _end(self, job: Job, state: JobState, reason: str) -> None:
        if file_jobs.end(self._deps.pool, job.id, state, reason):
            _ENDED.labels(state).inc()
            log.info("job ended", job=job.id, workflow=job.workflow, state=state, reason=reason)
        self.look_at_line(job.line)


def _end_of(workflow: Object) -> Object:
    """What of a Workflow stays in memory: whether it has ended."""
    return {**named_and_labelled(workflow), "status": {"phase": status_of(workflow).get("phase")}}
