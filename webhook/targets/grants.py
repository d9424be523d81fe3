"""What Medea is given on a target: an account, reading everywhere, and work only in namespaces that accept it. Pure.

`manifests/target` holds the same for those who prefer kubectl; a test compares both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from webhook.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    Resource,
)
from webhook.model.contract import CONSENT
from webhook.model.objects import Object
from webhook.targets.argo import USUAL_PLACE, ConfigPlace

SPACE = "medea-system"
"""Namespace on the target of Medea's account there."""
ACCOUNT = "medea"
WORK = "medea-target"
"""The ClusterRole whose binding in a namespace means that the namespace accepts work, and the name of that binding."""
READ = "medea-target-read"
SEE_SECRETS = "medea-target-see-secrets"
TAKE_CONFIG_MAPS = "medea-target-take-configmaps"
ENTER = "medea-target-exec"
"""The ClusterRole whose binding in a namespace lets people into the pods of runs, and the name of that binding."""
TOKEN = "medea-target-token"  # noqa: S105 a name
ARGO_CONFIG = "medea-target-argo-config"
"""The Role that lets Medea read what Argo's controller adds to every Workflow."""

_LABELS = {CONSENT: "true", "app.kubernetes.io/name": "medea"}
_RBAC = "rbac.authorization.k8s.io"
_ARGO = "argoproj.io"
_LOOK = ["get", "list", "watch"]


@dataclass(frozen=True)
class Grant:
    """One object that a target has so that Medea may work there."""

    kind: Resource
    body: Object

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """The object's namespace; None if it has none."""
        namespace: str | None = self.body["metadata"].get("namespace")
        return namespace

    @property
    def words(self) -> str:
        """What people call it."""
        return f"{self.kind.kind} {self.name}" + (f" in {self.namespace}" if self.namespace else "")


def grants(
    namespaces: Iterable[str],
    configs: Iterable[ConfigPlace] = (USUAL_PLACE,),
    *,
    see_secrets: bool = False,
    take_config_maps: bool = False,
) -> list[Grant]:
    """All that a target needs, in the order in which it is to be made; only `namespaces` accept work.

    `configs` is where the configurations of Argo's controllers are. `see_secrets` lets Medea tell in these namespaces
    whether a Secret exists, `take_config_maps` has ConfigMaps go along with runs.
    """
    accepting = list(namespaces)
    more = [SEE_SECRETS] * see_secrets + [TAKE_CONFIG_MAPS] * take_config_maps
    return [
        made(NAMESPACES, SPACE),
        made(SERVICE_ACCOUNTS, ACCOUNT, SPACE),
        made(CLUSTER_ROLES, READ, rules=_READING),
        bound(CLUSTER_ROLE_BINDINGS, READ, CLUSTER_ROLES),
        made(ROLES, TOKEN, SPACE, rules=_OWN_TOKEN),
        bound(ROLE_BINDINGS, TOKEN, ROLES, SPACE),
        *(grant for one in configs for grant in _of_config(one)),
        made(CLUSTER_ROLES, WORK, rules=_WORKING),
        made(CLUSTER_ROLES, SEE_SECRETS, rules=_SEEING),
        made(CLUSTER_ROLES, TAKE_CONFIG_MAPS, rules=_TAKING),
        made(CLUSTER_ROLES, ENTER, rules=_ENTERING),
        *(consent(namespace) for namespace in accepting),
        *(bound(ROLE_BINDINGS, name, CLUSTER_ROLES, namespace) for name in more for namespace in accepting),
    ]


def _of_config(place: ConfigPlace) -> list[Grant]:
    reading = [rule("", ["configmaps"], ["get"], resourceNames=[place.name])]
    return [
        made(ROLES, ARGO_CONFIG, place.namespace, rules=reading),
        bound(ROLE_BINDINGS, ARGO_CONFIG, ROLES, place.namespace),
    ]


def consent(namespace: str) -> Grant:
    """The binding by which a namespace accepts work."""
    return bound(ROLE_BINDINGS, WORK, CLUSTER_ROLES, namespace)


def way_in(namespace: str) -> Grant:
    """The binding by which a namespace lets people at the front door into the pods of their runs."""
    return bound(ROLE_BINDINGS, ENTER, CLUSTER_ROLES, namespace)


def rule(groups: str, resources: list[str], verbs: list[str], **rest: list[str]) -> Object:
    """A rule of a role."""
    return {"apiGroups": [groups], "resources": resources, "verbs": verbs, **rest}


# What the watches need, what an own eye for quotas needs, what tells one cluster from another (namespaces), what a run
# may refer to, and what tells that Argo's controller is alive.
_READING = [
    rule(_ARGO, ["workflows"], _LOOK),
    rule(_ARGO, ["clusterworkflowtemplates"], ["get"]),
    rule("", ["pods", "resourcequotas", "limitranges"], _LOOK),
    rule("", ["namespaces"], ["get"]),
    rule("scheduling.k8s.io", ["priorityclasses"], ["get"]),
    rule("coordination.k8s.io", ["leases"], ["list"], resourceNames=["workflow-controller"]),
]
_OWN_TOKEN = [rule("", ["serviceaccounts/token"], ["create"], resourceNames=[ACCOUNT])]
_WORKING = [
    rule(_ARGO, ["workflows"], ["create", "patch", "delete"]),
    rule(_ARGO, ["workflowtemplates"], ["get", "list", "create", "delete"]),
    rule("", ["pods"], ["delete"]),
    rule("", ["pods/log"], ["get"]),
    rule("", ["events"], ["list", "watch"]),
    rule("", ["configmaps", "serviceaccounts", "persistentvolumeclaims"], ["get"]),
]
# RBAC has no right to see that a Secret exists without one to read it.
_SEEING = [rule("", ["secrets"], ["get"])]
_TAKING = [rule("", ["configmaps"], ["list", "create", "delete"])]
# A WebSocket begins with GET, which older apiservers take for the verb.
_ENTERING = [rule("", ["pods/exec", "pods/attach", "pods/portforward"], ["create", "get"])]


def made(kind: Resource, name: str, namespace: str | None = None, **content: object) -> Grant:
    """An object with the label by which it is found again."""
    place = {"namespace": namespace} if namespace else {}
    return Grant(kind, {"metadata": {"name": name, **place, "labels": _LABELS}, **content})


def bound(kind: Resource, name: str, role: Resource, namespace: str | None = None) -> Grant:
    """The binding of the role of the same name to Medea's account."""
    return made(
        kind,
        name,
        namespace,
        roleRef={"apiGroup": _RBAC, "kind": role.kind, "name": name},
        subjects=[{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SPACE}],
    )
