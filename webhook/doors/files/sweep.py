"""The sweep of the door for files: finds what events have missed, and removes what is old."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from webhook.doors.files.dispatch import Dispatcher
from webhook.doors.store import Store
from webhook.doors.sweeping import Removal, page_by_page, remove_workflow, run_parts, start_sweep
from webhook.kube.client import Cluster
from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import Job, JobState
from webhook.ledger.pool import Pool
from webhook.model.limits.files import ABANDONED_AFTER, CLEAN_BATCH, HELD_UP_AFTER, LOOK_MOST

_JOBS = Gauge("medea_file_jobs", "Jobs with files, by those of their states that pass", ["state"])
_HELD_UP = Gauge("medea_file_jobs_held_up", "Jobs with files whose turn it is, and whose Workflow can't be created")
_FAILED = Counter("medea_file_sweep_failed_total", "Parts of a sweep of the door for files that failed", ["part"])
_PASSING = (JobState.RECEIVING, JobState.QUEUED, JobState.SUBMITTED, JobState.CLEANED)


@dataclass(frozen=True)
class Sweep:
    """Runs every `interval`. Results are kept for `keep`, uploads may take `longest_upload`; all in seconds."""

    front: Cluster
    pool: Pool
    store: Store
    dispatcher: Dispatcher
    namespace: str
    interval: float
    keep: float
    longest_upload: float
    stop: threading.Event

    def start(self) -> None:
        """Start, in a thread of its own."""
        for part in self._parts:
            # Shown as 0 from the beginning, so that the first one counts as an increase; and only by those who sweep:
            # if none of them gets to it, somebody is told.
            _FAILED.labels(part.__name__)
        start_sweep("files-sweep", self.run, self.pool, interval=self.interval, stop=self.stop)

    def run(self) -> None:
        """All parts; if one fails, the others still run."""
        run_parts(self._parts, _FAILED)

    @property
    def _parts(self) -> tuple[Callable[[], None], ...]:
        return (self.look_again, self.retire, self.clean, self.count)

    def look_again(self) -> None:
        """At every line in which something waits, and at each submitted job that does not just go on."""
        for line in file_jobs.waiting_lines(self.pool, self.namespace):
            self.dispatcher.look_at_line(line, sweep=True)
        for job in page_by_page(self._submitted):
            if not self.dispatcher.goes_on(job):
                self.dispatcher.look_at_job(job.id, sweep=True)

    def retire(self) -> None:
        """Mark what is old, and uploads whose process is gone."""
        file_jobs.retire(self.pool, keep=self.keep, abandoned=self.longest_upload + ABANDONED_AFTER)

    def clean(self) -> None:
        """Remove what is marked: its files, its Workflow, its row, in this order. What takes too long is left."""
        self._removal.go_on(self.interval)

    def count(self) -> None:
        """Show how many there are."""
        found = file_jobs.counts(self.pool)
        for state in _PASSING:
            _JOBS.labels(state).set(found.get(state, 0))
        _HELD_UP.set(file_jobs.held_up(self.pool, HELD_UP_AFTER))

    def _submitted(self, last: Job | None) -> list[Job]:
        return file_jobs.submitted(self.pool, self.namespace, after=last, limit=LOOK_MOST)

    @functools.cached_property
    def _removal(self) -> Removal[Job]:
        return Removal(
            lambda after: file_jobs.cleaned(self.pool, after=after, limit=CLEAN_BATCH), lambda job: job.id, self._clean
        )

    def _clean(self, job: Job) -> None:
        self.store.remove(job.folder)
        if job.workflow_uid is not None:
            remove_workflow(self.front, job.namespace, job.workflow, job.workflow_uid)
        file_jobs.forget(self.pool, job.id)
