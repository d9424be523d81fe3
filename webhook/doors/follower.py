"""Submits the Workflows of a door's jobs, and follows each to its end.

A job's row says that it is submitted, and under which name, before its Workflow is created. Whoever comes later, after
a crash or in another replica, finds the same name and the same Workflow.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from webhook.doors.plan import Do, Submitted, next_step
from webhook.errors import AlreadyExists, QuotaExceeded, Rejected
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, named_and_labelled
from webhook.kube.resources import WORKFLOWS
from webhook.kube.turns import take_turn
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.objects import Object, labels, status_of
from webhook.model.submitted_once import Past
from webhook.model.subworkflows import ended

Job = TypeVar("Job", bound=Submitted)


class Follower(ABC, Generic[Job]):
    """Works off a queue of keys: ids of jobs, and whatever else a door has to look at in order.

    `label` is the one of a job's id on its Workflow, `shown_as` the name in metrics and of threads.
    """

    def __init__(self, front: Cluster, pool: Pool, namespace: str, *, label: str, shown_as: str, workers: int) -> None:
        self._front, self._pool, self._namespace, self._label = front, pool, namespace, label
        self._shown_as, self._workers = shown_as, workers
        self._work = WorkQueue(lane_limit=workers)
        self._stop = threading.Event()
        self._watch = Informer(
            front, WORKFLOWS, self._heard, selector=label, namespace=namespace, keep=_end_of, shown_as=shown_as
        )

    def start(self) -> None:
        """Start to watch and to work."""
        self._watch.start()
        for number in range(self._workers):
            threads.start_loop(f"{self._shown_as}-{number}", self._turn, stop=self._stop)

    @property
    def watch(self) -> Informer:
        """The informer of the jobs' Workflows."""
        return self._watch

    def look_at(self, key: str, *, sweep: bool = False) -> None:
        """There may be something to do about a key."""
        self._work.add(key, sweep=sweep)

    def goes_on(self, job: Job) -> bool:
        """Whether the watch knows that its Workflow is there and has not ended: then there is nothing to do."""
        known = self._watch.get(job.namespace, job.workflow) if self._watch.current else None
        return known is not None and known["metadata"]["uid"] == job.workflow_uid and ended(known) is None

    def step(self) -> bool:
        """Handle one key; False if there is none. For tests, which have no threads."""
        return take_turn(self._work, self._act, "looking at a job", wait=False)

    @abstractmethod
    def _act(self, key: str) -> None:
        """Do whatever there is to do about a key."""

    @abstractmethod
    def _is_id(self, text: str) -> bool:
        """Whether a label's value can be the id of a job. Anybody may set labels."""

    @abstractmethod
    def _body(self, job: Job) -> Object:
        """The Workflow to create. Raises Unavailable if it can't be made now; then the job waits."""

    @abstractmethod
    def _note(self, job: Job, uid: str) -> None:
        """Write down that its Workflow exists."""

    @abstractmethod
    def _succeed(self, job: Job) -> None:
        """Its Workflow has succeeded."""

    @abstractmethod
    def _fail(self, job: Job, reason: str) -> None:
        """It has failed."""

    def _settle(self, job: Job) -> None:
        """Do the next step about a job that is submitted."""
        origin, past = self._look(job)
        step = next_step(job, self._label, origin, past)
        acts: dict[Do, Callable[[], None]] = {
            Do.NOTHING: lambda: None,
            Do.SUBMIT: lambda: self._submit(job),
            Do.NOTE: lambda: self._note(job, str((origin or {})["metadata"]["uid"])),
            Do.SUCCEED: lambda: self._succeed(job),
            Do.FAIL: lambda: self._fail(job, step.reason),
        }
        acts[step.do]()

    def _look(self, job: Job) -> tuple[Object | None, Past | None]:
        """The job's Workflow at the front door; or else what the ledger remembers of it."""
        origin = self._front.find(WORKFLOWS, job.namespace, job.workflow)
        past = None if origin else placements.past(self._pool, job.namespace, job.workflow)
        if past is not None:
            # What is remembered may have come after that look, made by another replica.
            origin = self._front.find(WORKFLOWS, job.namespace, job.workflow)
        return origin, past

    def _submit(self, job: Job) -> None:
        body = self._body(job)
        try:
            made = self._front.create(WORKFLOWS, job.namespace, body, read_timeout=SUBMIT_TIMEOUT)
        except AlreadyExists:
            # By another replica, or by an earlier try whose answer was lost: look at it.
            self.look_at(str(job.id))
        except QuotaExceeded:
            raise
        except Rejected as error:
            self._fail(job, f"it was refused: {error.message}")
        else:
            self._note(job, str(made["metadata"]["uid"]))

    def _turn(self) -> None:
        take_turn(self._work, self._act, "looking at a job")

    def _heard(self, workflow: Object, gone: bool) -> None:
        """A running Workflow changes all the time; what counts is that it ends."""
        job = labels(workflow).get(self._label, "")
        if self._is_id(job) and (gone or ended(workflow) is not None):
            self.look_at(job)


def _end_of(workflow: Object) -> Object:
    """What of a Workflow stays in memory: whether it has ended."""
    return {**named_and_labelled(workflow), "status": {"phase": status_of(workflow).get("phase")}}
