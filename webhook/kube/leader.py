"""Leader election: one controller works, others wait for its lease.

Others may take the lease LEASE_SECONDS after its last renewal. A leader that could not renew it for RENEW_WITHIN
seconds ends before that: a separate thread makes sure of it, even if the renewing thread hangs. Only a process that is
suspended for longer may still finish a write beside the next leader. That does little harm: the ledger's writes are
conditional on the state they were decided from, and creates adopt what exists.
"""

import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Protocol

import structlog
from prometheus_client import Gauge

from webhook.errors import MedeaError
from webhook.kube import threads
from webhook.kube.client import Cluster
from webhook.kube.resources import LEASES
from webhook.model.deadline import utc_now
from webhook.model.limits.kube import LEADER_PATIENCE, LEASE_SECONDS, LEASE_TIMEOUT, RENEW_EVERY, RENEW_WITHIN
from webhook.model.moments import written_finely
from webhook.model.objects import Object

log = structlog.get_logger(__name__)

LEASE = "medea-controller"
_LEADING = Gauge("medea_leading", "1 while this controller holds the lease")


class Work(Protocol):
    """What a leader does."""

    def run(self) -> None:
        """Work until `stop` is called."""

    def stop(self) -> None:
        """Make `run` return soon. May be called more than once."""


class Lease:
    """The lease as one candidate sees it. `clock` is in seconds; `identity` must be unique to this candidate."""

    def __init__(
        self,
        front: Cluster,
        namespace: str,
        *,
        identity: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._front, self._namespace, self._clock = front, namespace, clock
        self._identity = identity or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._seen: tuple[str, float] = ("", 0.0)
        """The lease's last known version, and when it was first seen."""
        self._renewed: float | None = None

    def left(self) -> float:
        """For how many seconds this candidate may go on without renewing the lease; 0 if it does not hold it."""
        return 0.0 if self._renewed is None else max(0.0, self._renewed + RENEW_WITHIN - self._clock())

    def take(self) -> bool:
        """Take or renew the lease if possible. False if that failed, also if the front door does not answer."""
        began = self._clock()
        try:
            taken = self._try()
        except MedeaError as error:
            log.info("lease not reached", reason=error.message)
            return False
        if taken:
            self._renewed = began
        return taken

    def release(self) -> None:
        """Give up the lease, so that the next candidate can take it at once."""
        try:
            lease = self._front.find(LEASES, self._namespace, LEASE, read_timeout=LEASE_TIMEOUT)
            spec = (lease or {}).get("spec") or {}
            if lease and spec.get("holderIdentity") == self._identity:
                self._write(lease, {**spec, "holderIdentity": "", "leaseDurationSeconds": 1})
        except MedeaError as error:
            log.info("lease not released", reason=error.message)
        self._renewed = None

    def _try(self) -> bool:
        lease = self._front.find(LEASES, self._namespace, LEASE, read_timeout=LEASE_TIMEOUT)
        if lease is None:
            body = {"metadata": {"name": LEASE}, "spec": self._spec({})}
            self._front.create(LEASES, self._namespace, body, read_timeout=LEASE_TIMEOUT)
            return True
        if not self._may_take(lease):
            return False
        self._write(lease, self._spec(lease.get("spec") or {}))
        return True

    def _may_take(self, lease: Object) -> bool:
        version = str(lease["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            # Other machines' clocks may be wrong: what counts is how long this one has seen no renewal.
            self._seen = (version, self._clock())
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity")
        length = spec.get("leaseDurationSeconds") or LEASE_SECONDS
        return not holder or holder == self._identity or self._clock() - self._seen[1] >= length

    def _write(self, lease: Object, spec: Object) -> None:
        """Replace exactly this version of the lease. Raises Conflict if somebody else was faster."""
        self._front.replace(LEASES, self._namespace, LEASE, {**lease, "spec": spec}, read_timeout=LEASE_TIMEOUT)

    def _spec(self, before: Object) -> Object:
        now = written_finely(utc_now())
        same = before.get("holderIdentity") == self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": (before.get("acquireTime") if same else None) or now,
            "renewTime": now,
            "leaseTransitions": (before.get("leaseTransitions") or 0) + (not same),
        }


def begin_anew() -> None:
    """Replace this process by a fresh controller, which ends all of its threads at once.

    This works even if nothing restarts processes that exit. Nothing needs to be tidied up: the next leader repairs it.
    """
    os.execv(sys.executable, [sys.executable, "-m", "webhook", "controller"])


class Leader:
    """Does `work` while the lease is held. If the lease is lost, calls `lost`, which must end this process's work."""

    def __init__(
        self,
        lease: Lease,
        work: Work,
        *,
        lost: Callable[[], None] = begin_anew,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease, self._work, self._lost, self._clock = lease, work, lost, clock
        self._stop, self._ended = threading.Event(), threading.Event()
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """Make `run` stop the work, release the lease and return. May be called from a signal handler."""
        self._stop.set()

    def run(self) -> bool:
        """Wait for the lease, then work until `stop` is called. False if the work ended by itself or failed.

        The lease is released once the work has ended. If it does not end within LEADER_PATIENCE seconds, `run` returns
        anyway and the caller must end the process; the next leader then waits for the lease, as after a crash.
        """
        while not self._lease.take():
            if self._stop.wait(RENEW_EVERY):
                return True
        log.info("leading")
        _LEADING.set(1)
        threads.start("lease", self._watch)
        threads.start("controller", self._do_work)
        while not self._stop.is_set() and not self._ended.is_set():
            self._lease.take()
            self._ended.wait(RENEW_EVERY)
        _LEADING.set(0)
        asked = self._stop.is_set()
        self._end_work()
        if self._ended.is_set():
            self._lease.release()
        else:
            log.warning("work cut off")
            self._ended.set()
        return asked and self._failure is None

    def _end_work(self) -> None:
        self._work.stop()
        until = self._clock() + LEADER_PATIENCE
        while not self._ended.wait(RENEW_EVERY) and self._clock() < until:
            self._lease.take()

    def _do_work(self) -> None:
        try:
            self._work.run()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(min(self._lease.left(), RENEW_EVERY)):
            if not self._lease.left():
                log.error("lease lost: beginning anew, so that nothing goes on beside the next leader")
                self._lost()
                return
