"""Submits jobs with files, in order and within the limits of their line, and follows each to its end."""

import json
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from webhook.doors.files.limits import RunsPerUser
from webhook.doors.files.workflow import results_key, workflow_of
from webhook.doors.follower import Follower
from webhook.doors.store import Store
from webhook.doors.templates import Templates, template_or_wait
from webhook.kube.client import Cluster
from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import Job, JobState, Line
from webhook.ledger.pool import Pool
from webhook.model.contract import FILE_JOB
from webhook.model.limits.files import FILES_WORKERS
from webhook.model.objects import Object
from webhook.namespaces.hold import Holds

log = structlog.get_logger(__name__)
_ENDED = Counter("medea_file_jobs_ended_total", "Jobs with files that have ended", ["outcome"])
_SUBMITTED = Counter("medea_file_jobs_submitted_total", "Jobs with files whose Workflow is known to exist")
for _outcome in (JobState.DONE, JobState.FAILED):
    # Shown as 0 from the beginning, so that the first one counts as an increase.
    _ENDED.labels(_outcome)


@dataclass(frozen=True)
class Deps:
    """What a dispatcher works with."""

    front: Cluster
    pool: Pool
    store: Store
    services: Templates
    limits: RunsPerUser
    holds: Holds
    namespace: str


class Dispatcher(Follower[Job]):
    """Works off a queue of lines and jobs."""

    def __init__(self, deps: Deps) -> None:
        super().__init__(
            deps.front, deps.pool, deps.namespace, label=FILE_JOB, shown_as="file-jobs", workers=FILES_WORKERS
        )
        self._deps = deps

    def look_at_line(self, line: Line, *, sweep: bool = False) -> None:
        """Something may be submitted there."""
        self.look_at(json.dumps([line.namespace, line.service, line.user_id]), sweep=sweep)

    def look_at_job(self, job: int, *, sweep: bool = False) -> None:
        """Something may have become of it."""
        self.look_at(str(job), sweep=sweep)

    def _is_id(self, text: str) -> bool:
        return text.isascii() and text.isdigit()

    def _act(self, key: str) -> None:
        if key.startswith("["):
            self._serve(Line(*json.loads(key)))
        else:
            self._look_at_row(int(key))

    def _look_at_row(self, number: int) -> None:
        job = file_jobs.get(self._pool, number)
        if job is None or job.state != JobState.SUBMITTED:
            return
        if job.workflow_uid is None:
            # It may have to be submitted, which is done in order.
            self.look_at_line(job.line)
        else:
            self._settle(job)

    def _serve(self, line: Line) -> None:
        """Submit what may be. One that can't be submitted now holds up those behind it, which keeps their order."""
        for job in file_jobs.take(self._pool, line, limit=self._deps.limits.of(line.service)):
            self._settle(job)

    def _body(self, job: Job) -> Object:
        template = template_or_wait(self._deps.services, self._deps.holds, job.namespace, job.service)
        return workflow_of(job, template)

    def _note(self, job: Job, uid: str) -> None:
        if file_jobs.exists(self._pool, job.id, uid):
            _SUBMITTED.inc()

    def _succeed(self, job: Job) -> None:
        if self._deps.store.size(results_key(job.folder)) is not None:
            self._end(job, JobState.DONE, "")
        else:
            self._fail(job, f"Workflow {job.workflow} succeeded and left no {results_key(job.folder)}")

    def _fail(self, job: Job, reason: str) -> None:
        self._end(job, JobState.FAILED, reason)

    def _end(self, job: Job, state: JobState, reason: str) -> None:
        if file_jobs.end(self._pool, job.id, state, reason):
            _ENDED.labels(state).inc()
            log.info("job ended", job=job.id, workflow=job.workflow, state=state, reason=reason)
        self.look_at_line(job.line)
