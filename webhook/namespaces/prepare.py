"""Prepares the namespaces that opted in, so that a user's namespace needs no preparation of its own.

The agent's pod runs as `medea-agent` and the plugin in it as `medea-executor-plugin`. Argo mounts the token of each
from a Secret with the account's name, which Kubernetes no longer makes by itself. Without them Argo ends the Workflow
with an error at once, so the webhook sees to them before the first one is let in, and the controller ever after.
"""

import time

import structlog

from webhook.errors import Clash
from webhook.kube.client import Cluster
from webhook.kube.resources import ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, TASK_SETS, Resource
from webhook.model.contract import AGENT_ACCOUNT, PLUGIN_ACCOUNT
from webhook.model.objects import Object

log = structlog.get_logger(__name__)

# Seconds; a namespace may be deleted and come back under its name, without its accounts.
_FRESH = 10.0
_ARGO_GROUP = TASK_SETS.api_version.split("/")[0]
_LABELS = {"app.kubernetes.io/managed-by": "medea"}


class Prepared:
    """Namespaces seen to be prepared a moment ago: one Workflow of many pays for looking."""

    def __init__(self, front: Cluster) -> None:
        self._front = front
        self._seen: dict[str, float] = {}

    def see_to(self, namespace: str) -> None:
        """Prepare the namespace, unless that was seen to just now. Raises what the front door answers."""
        now = time.monotonic()
        if now - self._seen.get(namespace, -_FRESH) >= _FRESH:
            prepare(self._front, namespace)
            self._seen[namespace] = now


def prepare(front: Cluster, namespace: str) -> None:
    """Create what is missing; what is there stays as it is."""
    for kind, body in wanted_objects(namespace):
        name = body["metadata"]["name"]
        if front.find(kind, namespace, name) is None:
            try:
                front.create(kind, namespace, body)
            except Clash:
                continue
            log.info("namespace prepared", namespace=namespace, kind=kind.kind, name=name)


def wanted_objects(namespace: str) -> list[tuple[Resource, Object]]:
    """Two accounts, their token Secrets, and the agent's rights on the task sets it works through."""
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
