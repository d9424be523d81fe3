"""One upload: its files go to the store while they arrive, and only when all is well may the job be submitted."""

import functools
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import structlog
from prometheus_client import Counter as Metric

from webhook.api.gate import Caller
from webhook.doors.files.bundle import Bundle
from webhook.doors.files.form import Event, boundary_of, read_form
from webhook.doors.files.names import checked_service, checked_user
from webhook.doors.files.workflow import input_key
from webhook.doors.files.zips import check_zips
from webhook.doors.speaking import Speaking
from webhook.doors.store import Store
from webhook.doors.templates import Templates
from webhook.errors import BadRequest, Busy, LedgerUnavailable, MedeaError, Unavailable, wrong_field
from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import JobState, Line
from webhook.ledger.pool import Pool
from webhook.model.deadline import Clock
from webhook.model.limits.files import UPLOAD_SLOT_WAIT

log = structlog.get_logger(__name__)
_UPLOADS = Metric("medea_file_uploads_total", "Uploads of jobs with files", ["outcome"])
_BYTES = Metric("medea_file_upload_bytes_total", "Bytes of the files that were received")


@dataclass(frozen=True)
class Accepted:
    """A job that is queued."""

    id: int
    user_id: str
    service: str
    folder: str


class Slots:
    """How many uploads are received at once: each keeps a part of its file in memory.

    One account gets half of them, so that a slow one keeps nobody else waiting.
    """

    def __init__(self, number: int, *, wait: float = UPLOAD_SLOT_WAIT) -> None:
        self._number, self._share, self._wait = number, max(1, number // 2), wait
        self._changed = threading.Condition()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, account: str) -> Iterator[None]:
        """Hold one; `account` is empty if it is not known who calls. Raises Busy if none becomes free in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(account), timeout=self._wait):
                raise Busy(
                    f"{self._taken.total()} uploads are being received, {self._taken[account]} of yours; try again"
                )
            self._taken[account] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[account] -= 1
                # Adding nothing drops those that have none.
                self._taken += Counter()
                self._changed.notify_all()

    def _is_free(self, account: str) -> bool:
        of_mine = self._taken[account] if account else 0
        return self._taken.total() < self._number and of_mine < self._share


@dataclass(frozen=True)
class Uploads:
    """Receives uploads for `namespace`. `prefix` is a folder of the bucket; `largest` is in bytes, `longest` in s.

    Of a user `most_queued` jobs may wait, or a few more where several uploads end at once.
    """

    pool: Pool
    store: Store
    services: Templates
    speaking: Speaking
    slots: Slots
    queued: Callable[[Line], None]
    namespace: str
    prefix: str
    largest: int
    longest: float
    most_queued: int
    clock: Clock = time.monotonic

    def receive(self, caller: Caller, content_type: str | None, stream: IO[bytes]) -> Accepted:
        """The queued job. Raises BadRequest or Forbidden with the field that is wrong; then nothing is stored.

        Raises Busy too: for want of a slot, or because very many jobs of that user wait.
        """
        boundary = boundary_of(content_type)
        uploader = caller.identity.user if caller.identity else ""
        with self.slots.one(uploader):
            folder = f"{self.prefix}/{uuid.uuid4().hex}"
            job = file_jobs.receive(self.pool, namespace=self.namespace, uploader=uploader, folder=folder)
            try:
                accepted = self._received(caller, job, folder, read_form(stream, boundary, largest_file=self.largest))
            except BaseException as error:
                _UPLOADS.labels("refused" if isinstance(error, MedeaError) and error.status < 500 else "failed").inc()
                self._give_up(job, folder)
                raise
        _UPLOADS.labels("accepted").inc()
        self.queued(Line(self.namespace, accepted.service, accepted.user_id))
        return accepted

    def _received(self, caller: Caller, job: int, folder: str, events: Iterator[Event]) -> Accepted:
        bundle, until = Bundle(), self.clock() + self.longest
        check = functools.partial(self._check_form, caller, bundle)
        self.store.write(input_key(folder), bundle.pieces(self._in_time(events, until), check))

        def read(start: int, size: int) -> bytes:
            self._check_time(until)
            return self.store.read_range(input_key(folder), start, size)

        check_zips(bundle.zips, read, largest=self.largest)
        _BYTES.inc(bundle.size)
        user, service = _line_of(bundle)
        self._queue(job, user, service)
        return Accepted(job, user, service, folder)

    def _queue(self, job: int, user: str, service: str) -> None:
        """Raises Unavailable if it is not queued, as far as can be told."""
        try:
            is_queued = file_jobs.queue(self.pool, job, user_id=user, service=service)
        except LedgerUnavailable:
            # The answer may be all that was lost. A client that is told so would send its files once more.
            found = file_jobs.get(self.pool, job)
            if found is None or found.state in (JobState.RECEIVING, JobState.CLEANED):
                raise
            is_queued = True
        if not is_queued:
            raise Unavailable("the upload took so long that it was given up; send it again")

    def _check_form(self, caller: Caller, bundle: Bundle) -> None:
        """Before the end of the object is written: what is refused here was never there."""
        user, service = _line_of(bundle)
        if not bundle.count:
            raise wrong_field(BadRequest, "file", "", "at least one file must be sent")
        self.services.template_of(service)
        self.speaking.check(caller, self.namespace, "user_id", user)
        if file_jobs.are_queued(self.pool, namespace=self.namespace, user_id=user, number=self.most_queued):
            expected = f"{self.most_queued} of their jobs wait already (MEDEA_FILES_QUEUED_PER_USER); try again later"
            raise wrong_field(Busy, "user_id", user, expected)

    def _in_time(self, events: Iterator[Event], until: float) -> Iterator[Event]:
        for event in events:
            self._check_time(until)
            yield event

    def _check_time(self, until: float) -> None:
        if self.clock() > until:
            expected = f"an upload may take {self.longest:g} seconds (MEDEA_FILES_UPLOAD_SECONDS)"
            raise wrong_field(BadRequest, "file", "too slow", expected)

    def _give_up(self, job: int, folder: str) -> None:
        """Nothing stays stored. What fails here is left for the sweep, which finds the row."""
        try:
            file_jobs.give_up(self.pool, job)
            found = file_jobs.get(self.pool, job)
            if found is None or found.state == JobState.CLEANED:
                self.store.remove(folder)
                file_jobs.forget(self.pool, job)
        except MedeaError as error:
            log.info("left for the sweep", job=job, reason=error.message)


def _line_of(bundle: Bundle) -> tuple[str, str]:
    """The user and the service. Raises BadRequest with the field that is missing or wrong."""
    return checked_user(bundle.fields.get("user_id")), checked_service(bundle.fields.get("service"))
