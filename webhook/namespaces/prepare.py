"""Prepares the namespaces that opted in, so that users don't have to.

The agent's pod runs as `medea-agent`, and the plugin in it as `medea-executor-plugin`. Argo mounts the token of each
from a Secret named after the account, which Kubernetes no longer creates by itself. Without these Argo ends the
Workflow with an error at once, so the webhook creates them before it admits the first one, and the controller keeps
them there.
"""

import threading
import time

import structlog

from webhook.errors import AlreadyExists, Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, TASK_SETS, Resource
from webhook.model.contract import AGENT_ACCOUNT, PLUGIN_ACCOUNT
from webhook.model.deadline import Clock, Deadline
from webhook.model.limits import PREPARE_BUDGET, PREPARE_TIMEOUT, PREPARED_REMEMBERED
from webhook.model.objects import Object

log = structlog.get_logger(__name__)

_ARGO_GROUP = TASK_SETS.api_version.split("/")[0]
_LABELS = {"app.kubernetes.io/managed-by": "medea"}


class Prepared:
    """Remembers which namespaces are prepared, by uid, since one that is deleted and created again is not prepared."""

    def __init__(self, front: Cluster, *, clock: Clock = time.monotonic) -> None:
        self._front, self._clock = front, clock
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}
        self._flights: dict[str, threading.Lock] = {}

    def see_to(self, namespace: str, uid: str, latest: Deadline) -> None:
        """Prepare the namespace unless it is known to be. Only one thread does it; others wait for it.

        Raises Unavailable if time runs out, and any error of the front door.
        """
        if self._is_known(uid):
            return
        deadline = latest.within(PREPARE_BUDGET)
        with self._lock:
            flight = self._flights.setdefault(uid, threading.Lock())
        if not flight.acquire(timeout=max(0.0, deadline.left)):
            raise Unavailable(f"namespace {namespace} is still being prepared; try again")
        try:
            if not self._is_known(uid):
                prepare(self._front, namespace, deadline)
                self._remember(uid)
        finally:
            flight.release()

    def _is_known(self, uid: str) -> bool:
        with self._lock:
            until = self._known.get(uid)
            return until is not None and self._clock() < until

    def _remember(self, uid: str) -> None:
        with self._lock:
            now = self._clock()
            self._known = {one: until for one, until in self._known.items() if until > now}
            self._known[uid] = now + PREPARED_REMEMBERED
            self._flights.pop(uid, None)


def prepare(front: Cluster, namespace: str, deadline: Deadline) -> None:
    """Create what is missing, without changing what exists. It reads nothing, so needs no right to read Secrets."""
    for kind, body in wanted_objects(namespace):
        name = body["metadata"]["name"]
        timeout = deadline.timeout(PREPARE_TIMEOUT, f"to prepare namespace {namespace}")
        try:
            front.create(kind, namespace, body, read_timeout=timeout)
        except AlreadyExists:
            continue
        log.info("namespace prepared", namespace=namespace, kind=kind.kind, name=name)


def wanted_objects(namespace: str) -> list[tuple[Resource, Object]]:
    """Two accounts, their token Secrets, and the agent's rights on WorkflowTaskSets."""
    accounts = [(SERVICE_ACCOUNTS, _named(name)) for name in (AGENT_ACCOUNT, PLUGIN_ACCOUNT)]
    tokens = [(SECRETS, _token(name)) for name in (AGENT_ACCOUNT, PLUGIN_ACCOUNT)]
    rules = [
        {"apiGroups": [_ARGO_GROUP], "resources": ["workflowtasksets"], "verbs": ["list", "watch"]},
        {"apiGroups": [_ARGO_GROUP], "resources": ["workflowtasksets/status"], "verbs": ["patch"]},
    ]
    binding = {
        **_named(AGENT_ACCOUNT),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": AGENT_ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": AGENT_ACCOUNT, "namespace": namespace}],
    }
    return [*accounts, *tokens, (ROLES, {**_named(AGENT_ACCOUNT), "rules": rules}), (ROLE_BINDINGS, binding)]


def _named(name: str) -> Object:
    return {"metadata": {"name": name, "labels": _LABELS}}


def _token(account: str) -> Object:
    metadata = {
        "name": f"{account}.service-account-token",
        "labels": _LABELS,
        "annotations": {"kubernetes.io/service-account.name": account},
    }
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token"}
