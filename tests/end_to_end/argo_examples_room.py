"""The namespaces in which the examples run, furnished with what the examples expect to find."""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.end_to_end.argo_examples_rewrite import FOR, STORE_ACCESS
from tests.end_to_end.commands import kubectl
from tests.end_to_end.objects import CLUSTERS, TARGETS, runs_in
from tests.end_to_end.waiting import eventually

Object = dict[str, Any]

QUOTA = ("500", "500Gi")


def apply(cluster: str, namespace: str, objects: Iterable[Object]) -> None:
    """`kubectl apply` of all these objects."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl(cluster, "-n", namespace, "apply", "-f", "-", stdin=json.dumps(listed)).ok()


@contextmanager
def direct_room(store: str) -> Iterator[str]:
    """A namespace on both targets that the front door does not have: nothing of Medea's is about there."""
    name = f"e2e-direct-{secrets.token_hex(4)}"
    try:
        for target in TARGETS:
            kubectl(target, "create", "namespace", name).ok()
        furnish(name, store)
        yield name
    finally:
        for target in TARGETS:
            kubectl(target, "delete", "namespace", name, "--wait=false", "--ignore-not-found").ok()


def remove_cluster_templates(*namespaces: str) -> None:
    """Those that were applied for these namespaces, and Medea's copies of them."""
    mine = f"{FOR} in ({', '.join(namespaces)})"
    for cluster in CLUSTERS:
        kubectl(cluster, "delete", "clusterworkflowtemplates", "-l", mine, "--ignore-not-found").ok()


def remove_workflows(namespace: str) -> None:
    """All of them: origins, their runs, and what steps created on the targets, which goes with nobody's origin."""
    kubectl("front", "-n", namespace, "delete", "workflows", "--all", "--wait=false").ok()
    for target in TARGETS:
        kubectl(target, "-n", namespace, "delete", "workflows", "-l", "!medea.dev/placement", "--wait=false").ok()
    eventually(lambda: not runs_in(namespace), f"the runs in {namespace} went with their origins", within=240)


def furnish(namespace: str, store: str) -> None:
    """On both targets."""
    for target in TARGETS:
        apply(target, namespace, furniture(store, namespace))


def furniture(store: str, namespace: str) -> list[Object]:
    """What an administrator puts into a namespace of a target: limits, rights, secrets, and where artifacts go."""
    repository = {"artifactory": {"repoURL": f"{store}/kept/{namespace}", **STORE_ACCESS, "keyFormat": "{{pod.name}}"}}
    token = {"kubernetes.io/service-account.name": "default"}
    default = {"workflows.argoproj.io/default-artifact-repository": "default"}
    return [
        _limits(),
        _rights("all", "cluster-admin", {"name": "default"}),
        # Argo's own install lets its controller read the caches of memoized steps, not make them.
        _rights("caches", "cluster-admin", {"name": "argo", "namespace": "argo"}),
        _object("ConfigMap", "my-config", data={"workflow": "1", "template": "2"}),
        _object(
            "ConfigMap",
            "artifact-repositories",
            annotations=default,
            data={"default": json.dumps(repository), "my-key": json.dumps(repository)},
        ),
        _object("Secret", "store", stringData={"username": "medea", "password": "medea"}),
        _object("Secret", "my-secret", stringData={"mypassword": "open sesame"}),
        _object(
            "Secret", "default.service-account-token", annotations=token, type="kubernetes.io/service-account-token"
        ),
    ]


def _limits() -> Object:
    each = {"type": "Container", "default": {"cpu": "50m", "memory": "128Mi"}}
    return _object("LimitRange", "small", spec={"limits": [each]})


def _rights(name: str, role: str, account: dict[str, str]) -> Object:
    """Resource templates create, patch and delete as the account that they run under."""
    return {
        **_object("RoleBinding", name, apiVersion="rbac.authorization.k8s.io/v1"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }


def _object(kind: str, name: str, annotations: dict[str, str] | None = None, **content: Any) -> Object:
    metadata = {"name": name, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}
