"""Leader election: one controller works, others wait. Whoever loses the lease begins anew, as one who waits.

Two leaders for a moment do no harm: every write to the ledger is conditional on the state it was decided from, and
every create is create-or-adopt.
"""

import os
import socket
import sys
import uuid
from collections.abc import Callable
from typing import Any

import structlog
import urllib3
from kubernetes.client import ApiClient, CoordinationV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

log = structlog.get_logger(__name__)

_LEASE = "medea-controller"
# A controller that is killed is followed by the next within the lease's length, well inside the 30 s that a recovery
# may take; a leader that can't renew gives up before another may start.
_LEASE_SECONDS = 8
_RENEW_SECONDS = 5
_RETRY_SECONDS = 1
# Connect and read; together less than what is left to renew in.
_TIMEOUT = (1.0, 2.0)


def lead(api: ApiClient, namespace: str, work: Callable[[], None]) -> None:
    """Wait for the lease, then run `work` until it raises or the lease is lost. Never returns."""
    lock = LeaseLock(_LEASE, namespace, f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}")
    lock.api_instance = Leases(api)
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
    log.error("lease lost: beginning anew, so that nothing goes on beside the next leader")
    # The work runs in threads that would go on. Putting a fresh process in the place of this one ends them all, also
    # where nobody restarts what has exited; there is nothing to tidy that the next leader doesn't repair.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class Leases:
    """The calls that LeaseLock makes, with a deadline, and with the one error that it takes for a failed try."""

    def __init__(self, api: ApiClient) -> None:
        self._api = CoordinationV1Api(api)

    def read_namespaced_lease(self, *args: Any, **named: Any) -> Any:
        """Read the lease."""
        return _try(self._api.read_namespaced_lease, *args, **named)

    def create_namespaced_lease(self, *args: Any, **named: Any) -> Any:
        """Create it."""
        return _try(self._api.create_namespaced_lease, *args, **named)

    def replace_namespaced_lease(self, *args: Any, **named: Any) -> Any:
        """Renew it."""
        return _try(self._api.replace_namespaced_lease, *args, **named)


def _try(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
    try:
        return call(*args, **named, _request_timeout=_TIMEOUT)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ApiException(status=503, reason=f"the front door did not answer: {error}") from error
