"""The sweep of the door for job classes: finds what events have missed, and removes what is old."""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge

from webhook.doors.broker import Broker
from webhook.doors.classes.dispatch import Dispatcher
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import JobClass, Rules, RunBy
from webhook.doors.sweeping import Removal, page_by_page, remove_workflow, run_parts, start_sweep
from webhook.errors import NoQueue, NotTaken
from webhook.kube.client import Cluster
from webhook.ledger import class_jobs, class_leases
from webhook.ledger.class_jobs import Depth, Job
from webhook.ledger.pool import Pool
from webhook.model.limits.classes import CLEAN_BATCH, HELD_UP_AFTER, MISSED_AFTER, RETIRE_MOST, TAKE_MOST

log = structlog.get_logger(__name__)
_LABELS = ["job_class", "run_by"]
_WAITING = Gauge("medea_class_jobs_waiting", "Jobs of classes that wait", _LABELS)
_RUNNING = Gauge("medea_class_jobs_running", "Jobs of classes that run", _LABELS)
_OLDEST = Gauge("medea_class_jobs_oldest_seconds", "How long the first of those that wait has waited", _LABELS)
_HELD_UP = Gauge("medea_class_jobs_held_up", "Jobs of classes whose Workflow can't be created")
_FAILED = Counter("medea_class_sweep_failed_total", "Parts of a sweep of the door for classes that failed", ["part"])


@dataclass(frozen=True)
class Sweep:
    """Runs every `interval`; rows are kept for `keep`; both in seconds. Without a `broker` no class has workers."""

    front: Cluster
    pool: Pool
    broker: Broker | None
    dispatcher: Dispatcher
    rules: Rules
    namespace: str
    interval: float
    keep: float
    stop: threading.Event
    results: Results | None = None
    _seen: set[str] = field(default_factory=set)
    """Classes that had jobs: what is shown of one goes back to 0 when it is gone."""

    def start(self) -> None:
        """Start, in a thread of its own."""
        for part in self._parts:
            # Shown as 0 from the beginning, so that the first one counts as an increase; and only by those who sweep:
            # if none of them gets to it, somebody is told.
            _FAILED.labels(part.__name__)
        start_sweep("classes-sweep", self.run, self.pool, interval=self.interval, stop=self.stop)

    def run(self) -> None:
        """All parts; if one fails, the others still run."""
        run_parts(self._parts, _FAILED)

    @property
    def _parts(self) -> tuple[Callable[[], None], ...]:
        return (self.look_again, self.look_for_lost_messages, self.retire, self.clean, self.count)

    def look_again(self) -> None:
        """At each job with a Workflow that does not just go on."""
        for job in page_by_page(self._submitted):
            if not self.dispatcher.goes_on(job):
                self.dispatcher.look_at(job.id, sweep=True)

    def look_for_lost_messages(self) -> None:
        """Messages are lost with a broker's disk, or because their queue was purged. The jobs are published again.

        Where a queue is empty, all that wait are lost; else those that a job overtook which was published later.
        """
        if self.broker is None:
            return
        failed: NotTaken | None = None
        for name, known in self.rules.classes.items():
            if known.run_by is not RunBy.WORKERS:
                continue
            try:
                empty = _is_empty(self.broker, name)
            except NotTaken as error:
                # What is wrong with one queue keeps nobody from looking at the others.
                failed = error
                continue
            lost = class_leases.missed(self.pool, self.namespace, name, empty=empty, after=MISSED_AFTER)
            if lost:
                log.warning("messages were lost", job_class=name, count=lost)
        if failed is not None:
            raise failed

    def retire(self) -> None:
        """Mark what is old."""
        until = time.monotonic() + self.interval
        while class_jobs.retire(self.pool, keep=self.keep) >= RETIRE_MOST and time.monotonic() < until:
            pass

    def clean(self) -> None:
        """Remove what is marked: its files, its Workflow, its row, in this order. What takes too long is left."""
        self._removal.go_on(self.interval)

    def count(self) -> None:
        """Show how many there are."""
        found = class_jobs.depths(self.pool, self.namespace)
        self._seen.update(self.rules.classes, found)
        for name in self._seen:
            depth, labels = found.get(name, Depth()), (name, self.rules.classes.get(name, JobClass()).run_by)
            _WAITING.labels(*labels).set(depth.waiting)
            _RUNNING.labels(*labels).set(depth.running)
            _OLDEST.labels(*labels).set(depth.oldest or 0)
        _HELD_UP.set(class_jobs.held_up(self.pool, self.namespace, patience=HELD_UP_AFTER))

    def _submitted(self, last: Job | None) -> list[Job]:
        return class_jobs.submitted(self.pool, self.namespace, after=last.seq if last else 0, limit=TAKE_MOST)

    @functools.cached_property
    def _removal(self) -> Removal[Job]:
        return Removal(
            lambda after: class_jobs.cleaned(self.pool, after=after, limit=CLEAN_BATCH),
            lambda job: job.seq,
            self._clean,
        )

    def _clean(self, job: Job) -> None:
        if self.results is not None:
            self.results.remove(job.id)
        if job.workflow_uid is not None:
            remove_workflow(self.front, job.namespace, job.workflow, job.workflow_uid)
        class_jobs.forget(self.pool, job.id)


def _is_empty(broker: Broker, name: str) -> bool:
    try:
        return not broker.size(name).waiting
    except NoQueue:
        return True
