"""A worker: takes messages from the queue of a class, and runs a command for each job.

Exactly once is what can be said of a job's row: one holder at a time, one end. Of a command it can't: a worker that
dies in the middle of one does not know how far it came, and the job is begun again. So a command gets the job's id,
the same each time, by which its effect can be made to happen once; and how often a job may be begun is a setting.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import Counter, Histogram

from webhook.doors.broker import Message, Outcome
from webhook.doors.classes.command import Command, Ending
from webhook.doors.classes.queue import job_in
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import JobClass
from webhook.errors import LedgerUnavailable
from webhook.kube import threads
from webhook.ledger import class_leases
from webhook.ledger.class_jobs import Job, JobState
from webhook.ledger.class_leases import Claim
from webhook.ledger.pool import Pool
from webhook.model.limits.classes import (
    HEARTBEAT,
    LEASE,
    LEASE_MARGIN,
    RETRY_FIRST,
    RETRY_LONGEST,
    WATCHED,
    WORKER_PAUSE,
)

log = structlog.get_logger(__name__)
_RUNS = Counter("medea_worker_runs_total", "Commands that a worker has run", ["outcome"])
_SECONDS = Histogram(
    "medea_worker_run_seconds", "Time of one command", buckets=(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600)
)
_WORDS = ("done", "failed", "again", "lost")
for _word in _WORDS:
    # Shown as 0 from the beginning, so that the first one counts as an increase.
    _RUNS.labels(_word)


class Lost(Exception):
    """The job is not this worker's any more, for all that is known."""


@dataclass(frozen=True)
class Worker:
    """Runs `command` for jobs of the class `name`, one at a time. `holder` is a name that nobody else has.

    What a command leaves in its folder is kept in `results`, if there is a store.
    """

    pool: Pool
    name: str
    limits: JobClass
    command: Command
    holder: str
    lease: float = LEASE
    results: Results | None = None

    def handle(self, message: Message) -> Outcome:
        """Run the job that a message speaks of, if it is to be begun now. Raises LedgerUnavailable if nothing was."""
        number = job_in(message)
        if number is None:
            log.warning("a message that is no job's", job_class=self.name)
            return Outcome.DEAD
        began = time.monotonic()
        claim, job = class_leases.claim(
            self.pool,
            number,
            name=self.name,
            holder=self.holder,
            lease=self.lease,
            deliveries=self.limits.deliveries,
        )
        if claim is Claim.USED_UP:
            log.warning("job failed", job=number, reason=job.reason if job else "")
            return Outcome.DEAD
        if claim is not Claim.HELD or job is None:
            # If its holder is gone, it is published again once its lease is over.
            log.info("nothing to do for a message", job=number, job_class=self.name, claim=claim)
            return Outcome.DONE
        return self._run(job, Heartbeat(self, job.id, began))

    def _run(self, job: Job, heartbeat: "Heartbeat") -> Outcome:
        began = time.perf_counter()
        try:
            ending = self._done(job, heartbeat)
        except Lost:
            _RUNS.labels("lost").inc()
            log.warning("a job was lost: its lease could not be renewed, and its command was killed", job=job.id)
            return Outcome.DONE
        _SECONDS.observe(time.perf_counter() - began)
        return self._write_end(job, ending)

    def _done(self, job: Job, heartbeat: "Heartbeat") -> Ending:
        try:
            # What is done stays done if its folder can't be removed, as while somebody whom it started writes there.
            with (
                tempfile.TemporaryDirectory(prefix="medea-", ignore_cleanup_errors=True) as name,
                heartbeat.going_on(),
            ):
                return self._run_in(Path(name), job, heartbeat)
        except OSError as error:
            return Ending(f"its folder could not be worked with: {error.strerror or type(error).__name__}")

    def _run_in(self, folder: Path, job: Job, heartbeat: "Heartbeat") -> Ending:
        ending = self.command.run(job, folder, longest=self.limits.longest, check=heartbeat.check_held)
        if self.results is not None and not ending.reason:
            # Whoever hears that it is done finds them there.
            self.results.keep(job.id, folder, heartbeat.check_held)
        return ending

    def _write_end(self, job: Job, ending: Ending) -> Outcome:
        """Until it is written: to forget what has been done would be to do it again."""
        while True:
            try:
                return self._end(job, ending)
            except LedgerUnavailable as error:
                log.warning("the end of a job is written later", job=job.id, reason=error.message)
                time.sleep(WORKER_PAUSE)

    def _end(self, job: Job, ending: Ending) -> Outcome:
        if ending.reason and job.deliveries < self.limits.deliveries:
            pause = min(RETRY_FIRST * 2 ** (job.deliveries - 1), RETRY_LONGEST)
            mine = class_leases.again(self.pool, job.id, ending.reason, holder=self.holder, after=pause)
            word, outcome = "again", Outcome.DONE
        else:
            state = JobState.FAILED if ending.reason else JobState.DONE
            mine = class_leases.finish(self.pool, job.id, state, ending.reason, holder=self.holder)
            word, outcome = (str(state), Outcome.DEAD if ending.reason else Outcome.DONE)
        if not mine:
            word, outcome = "lost", Outcome.DONE
        _RUNS.labels(word).inc()
        log.info("command ended", job=job.id, job_class=self.name, outcome=word, reason=ending.reason)
        return outcome


class Heartbeat:
    """Renews the lease of one job while its command runs, beside whoever watches that command: a ledger that keeps a
    renewal waiting must not keep the command going."""

    def __init__(self, worker: Worker, job: str, began: float) -> None:
        self._worker, self._job = worker, job
        self._renewed = began
        """When the last renewal that succeeded was begun: its lease is counted from later than that."""
        self._tried = began
        self._taken = False
        """Whether the ledger has said that it is another worker's."""

    def check_held(self) -> None:
        """Raises Lost unless the job is still this worker's, for certain."""
        margin = min(LEASE_MARGIN, self._worker.lease / 3)
        if self._taken or time.monotonic() - self._renewed >= self._worker.lease - margin:
            raise Lost

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Renew the lease in the background."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(WATCHED):
                self._renew()

        thread = threads.start("heartbeat", beat)
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _renew(self) -> None:
        now = time.monotonic()
        if self._taken or now - self._tried < min(HEARTBEAT, self._worker.lease / 4):
            return
        self._tried = now
        try:
            held = class_leases.renew(
                self._worker.pool, self._job, holder=self._worker.holder, lease=self._worker.lease
            )
        except LedgerUnavailable as error:
            log.warning("a lease is not renewed", job=self._job, reason=error.message)
        else:
            self._taken, self._renewed = not held, now
