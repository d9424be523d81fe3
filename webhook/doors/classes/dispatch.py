"""Submits the Workflows of jobs, and follows each to its end."""

from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from webhook.doors.classes.queue import checked_id
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import JobClass, Rules
from webhook.doors.classes.workflow import workflow_of
from webhook.doors.follower import Follower
from webhook.doors.templates import Templates, template_or_wait
from webhook.kube.client import Cluster
from webhook.ledger import class_jobs
from webhook.ledger.class_jobs import Job, JobState
from webhook.ledger.pool import Pool
from webhook.model.contract import CLASS_JOB
from webhook.model.limits.classes import CLASSES_WORKERS
from webhook.model.objects import Object
from webhook.namespaces.hold import Holds

log = structlog.get_logger(__name__)
_ENDED = Counter(
    "medea_class_workflows_ended_total", "Jobs of classes whose Workflow has ended", ["job_class", "outcome"]
)


@dataclass(frozen=True)
class Deps:
    """What a dispatcher works with."""

    front: Cluster
    pool: Pool
    templates: Templates
    rules: Rules
    holds: Holds
    namespace: str
    results: Results | None = None


class Dispatcher(Follower[Job]):
    """Works off a queue of jobs."""

    def __init__(self, deps: Deps) -> None:
        super().__init__(
            deps.front, deps.pool, deps.namespace, label=CLASS_JOB, shown_as="class-jobs", workers=CLASSES_WORKERS
        )
        self._deps = deps

    def _is_id(self, text: str) -> bool:
        return checked_id(text) is not None

    def _act(self, key: str) -> None:
        job = class_jobs.get(self._pool, key)
        if job is not None and job.state == JobState.SUBMITTED:
            self._settle(job)

    def _body(self, job: Job) -> Object:
        known = self._deps.rules.classes.get(job.name, JobClass())
        results = self._deps.results.key(job.id) if self._deps.results else None
        template = template_or_wait(self._deps.templates, self._deps.holds, job.namespace, job.name)
        return workflow_of(job, template, clusters=known.clusters, results=results)

    def _note(self, job: Job, uid: str) -> None:
        class_jobs.exists(self._pool, job.id, uid)

    def _succeed(self, job: Job) -> None:
        self._end(job, JobState.DONE, "")

    def _fail(self, job: Job, reason: str) -> None:
        self._end(job, JobState.FAILED, reason)

    def _end(self, job: Job, state: JobState, reason: str) -> None:
        if class_jobs.end(self._pool, job.id, state, reason):
            _ENDED.labels(job.name, state).inc()
            log.info("job ended", job=job.id, workflow=job.workflow, state=state, reason=reason)
