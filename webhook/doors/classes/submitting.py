"""One job: read, classified and written down. Everything else follows from its row."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Counter

from webhook.api.gate import Caller
from webhook.doors.classes.rules import Rules, RunBy, classify
from webhook.doors.classes.submission import read_submission
from webhook.doors.classes.workflow import workflow_name
from webhook.doors.templates import Templates
from webhook.errors import BadRequest, LedgerUnavailable, Unavailable
from webhook.ledger import class_jobs
from webhook.ledger.class_jobs import NewJob
from webhook.ledger.pool import Pool

_SUBMITTED = Counter("medea_class_jobs_submitted_total", "Jobs that were accepted", ["job_class"])


@dataclass(frozen=True)
class Submitting:
    """Takes jobs for a namespace. `dispatch` is told the id of a job with a Workflow, `publish` that there is one."""

    pool: Pool
    rules: Rules
    templates: Templates
    dispatch: Callable[[str], None]
    publish: Callable[[], None]
    namespace: str

    def submit(self, caller: Caller, body: bytes) -> NewJob:
        """The job, which is in the ledger. Raises BadRequest with the field that is wrong; then nothing is stored."""
        submission = read_submission(body)
        found = classify(submission, self.rules)
        run_by, number = self.rules.classes[found.name].run_by, str(uuid.uuid4())
        if run_by is RunBy.WORKFLOW:
            self._check_template(found.name)
        job = NewJob(
            id=number,
            namespace=self.namespace,
            submitter=caller.identity.user if caller.identity else "",
            name=found.name,
            run_by=run_by,
            rows=submission.rows,
            runtime=submission.runtime,
            priority=submission.priority,
            latency_sensitive=submission.latency_sensitive,
            data=submission.data,
            cost=found.cost,
            workflow=workflow_name(found.name, number) if run_by is RunBy.WORKFLOW else "",
        )
        self._insert(job)
        _SUBMITTED.labels(job.name).inc()
        if run_by is RunBy.WORKFLOW:
            self.dispatch(job.id)
        else:
            self.publish()
        return job

    def _insert(self, job: NewJob) -> None:
        """Raises LedgerUnavailable if it is not written down, as far as can be told."""
        try:
            class_jobs.insert(self.pool, job)
        except LedgerUnavailable:
            # The answer may be all that was lost. A client that is told so would submit the job once more.
            if class_jobs.get(self.pool, job.id) is None:
                raise

    def _check_template(self, name: str) -> None:
        """Raises Unavailable: nobody who calls can help it that a class has no WorkflowTemplate."""
        try:
            self.templates.template_of(name)
        except BadRequest as error:
            raise Unavailable(f"jobs of class {name} can't be run now: {error.message}") from error
