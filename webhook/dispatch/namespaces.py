"""Prepares the namespaces that opted in, so that a user's namespace needs no preparation of its own.

The agent's pod runs as `medea-agent` and the plugin in it as `medea-executor-plugin`. Argo mounts the token of each
from a Secret with the account's name, which Kubernetes no longer makes by itself.
"""

from typing import Any

import structlog

from webhook.clusters.client import Cluster
from webhook.clusters.kinds import ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, TASK_SETS, Kind
from webhook.contract import AGENT_ACCOUNT, PLUGIN_ACCOUNT
from webhook.errors import Clash

log = structlog.get_logger(__name__)
Object = dict[str, Any]

_ARGO_GROUP = TASK_SETS.api_version.split("/")[0]
_LABELS = {"app.kubernetes.io/managed-by": "medea"}


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


def wanted_objects(namespace: str) -> list[tuple[Kind, Object]]:
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
