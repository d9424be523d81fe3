"""Submits jobs, and finds out how far they are."""

from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from webhook.api.gate import Caller, Gate
from webhook.doors.split.bodies import JobBody
from webhook.doors.split.parse import Asking
from webhook.doors.split.progress import job_body
from webhook.doors.split.workflow import item_power, workflow_of
from webhook.errors import BadRequest, Clash, Forbidden, Missing, Rejected, quoted
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements, power_jobs, splits
from webhook.ledger.pool import Pool
from webhook.ledger.power_jobs import Job, NewJob
from webhook.model.contract import POWER_JOB
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.objects import labels

log = structlog.get_logger(__name__)
_JOBS = Counter("medea_power_jobs_total", "Jobs counted in power that were asked for", ["outcome"])
for _outcome in ("submitted", "refused"):
    _JOBS.labels(_outcome)


@dataclass(frozen=True)
class Jobs:
    """`unit` is the power of an item, in watt-seconds, if a job is not so large that it has to be more."""

    gate: Gate
    pool: Pool
    unit: int

    def submit(self, caller: Caller, wanted: Asking) -> JobBody:
        """The job; the one there is if the caller has asked for it under that name before.

        Raises Forbidden, Clash if the name is another job's, and what the front door says of its Workflow.
        """
        self.gate.check(caller, "create", wanted.namespace)
        new = NewJob(
            namespace=wanted.namespace,
            name=wanted.name,
            power=wanted.power,
            unit=item_power(wanted.power, self.unit),
            template=wanted.template,
            split=wanted.split,
            owner=caller.identity.user if caller.identity else "",
        )
        job = power_jobs.ask(self.pool, new)
        if wanted.name is not None:
            _check_same(job, new)
        if job.uid is None:
            self._create(caller, job)
        return self.show(job)

    def find(self, caller: Caller, number: int) -> JobBody:
        """A job. Raises Missing, also for one that is not the caller's to know."""
        job = power_jobs.get(self.pool, number)
        unknown = Missing(f"there is no job {number}")
        if job is None:
            raise unknown
        try:
            self.gate.check(caller, "get", job.namespace, job.workflow)
        except Forbidden as error:
            raise unknown from error
        return self.show(job)

    def show(self, job: Job) -> JobBody:
        """What the ledger knows of it."""
        row = placements.by_origin(self.pool, job.namespace, job.workflow)
        split = splits.get(self.pool, row.placement) if row else None
        return job_body(job, row, split, splits.chunks(self.pool, row.placement) if row and split else [])

    def _create(self, caller: Caller, job: Job) -> None:
        """Submit its Workflow as who calls; or find what an earlier try has made, whose answer was lost."""
        body = workflow_of(job.id, job.workflow, power=job.power, each=job.unit, split=job.split, template=job.template)
        try:
            made = caller.front.create(WORKFLOWS, job.namespace, body, read_timeout=SUBMIT_TIMEOUT)
        except (Rejected, BadRequest):
            # Whoever refuses is asked before the apiserver looks whether it is there.
            found = caller.front.find(WORKFLOWS, job.namespace, job.workflow)
            if found is None or labels(found).get(POWER_JOB) != str(job.id):
                power_jobs.refused(self.pool, job.id)
                _JOBS.labels("refused").inc()
                raise
            made = found
        power_jobs.exists(self.pool, job.id, str(made["metadata"]["uid"]))
        _JOBS.labels("submitted").inc()
        log.info("job submitted", job=job.id, power=job.power, namespace=job.namespace)


def _check_same(job: Job, new: NewJob) -> None:
    differs = [key for key in ("power", "template", "split", "owner") if getattr(job, key) != getattr(new, key)]
    if differs:
        raise Clash(f"name is {quoted(new.name)}: job {job.id} has it, with another {differs[0]}", field="name")
