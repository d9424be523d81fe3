"""Leader election: one controller works, others wait. Losing the lease ends the process.

Two leaders for a moment do no harm: every write to the ledger is conditional on the state it was decided from, and
every create is create-or-adopt.
"""

import os
import socket
import uuid
from collections.abc import Callable

import structlog
from kubernetes.client import ApiClient, CoordinationV1Api
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

log = structlog.get_logger(__name__)

_LEASE = "medea-controller"
# A controller that is killed is followed by the next within the lease's length, well inside the 30 s that a recovery
# may take; a leader that can't renew gives up before another may start.
_LEASE_SECONDS = 8
_RENEW_SECONDS = 5
_RETRY_SECONDS = 1


def lead(api: ApiClient, namespace: str, work: Callable[[], None]) -> None:
    """Wait for the lease, then run `work` until it raises or the lease is lost. Never returns: exits the process."""
    lock = LeaseLock(_LEASE, namespace, f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}")
    lock.api_instance = CoordinationV1Api(api)
    config = electionconfig.Config(
        lock,
        lease_duration=_LEASE_SECONDS,
        renew_deadline=_RENEW_SECONDS,
        retry_period=_RETRY_SECONDS,
        onstarted_leading=work,
        onstopped_leading=_step_down,
    )
    leaderelection.LeaderElection(config).run()


def _step_down() -> None:
    log.error("lease lost: ending, so that nothing goes on beside the next leader")
    # The work runs in a daemon thread that would go on; there is nothing to tidy that the next leader doesn't repair.
    os._exit(1)
