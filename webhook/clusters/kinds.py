"""The kinds of objects Medea reads or writes, and the paths they live under."""

import re
from dataclasses import dataclass
from typing import Any

from webhook.errors import BadRequest, wrong_field

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

# What the apiserver accepts as a name in a path. Checked here because the names come from users: a path built from
# anything else could reach another object with Medea's rights.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Kind:
    """One resource of the Kubernetes API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of a collection or an object. Raises BadRequest for anything that is not a name."""
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        inside = f"/namespaces/{checked_name('namespace', namespace)}" if self.namespaced and namespace else ""
        one = f"/{checked_name('name', name)}" if name else ""
        return f"{root}{inside}/{self.plural}{one}" + (f"/{subresource}" if subresource else "")


def checked_name(field: str, value: object) -> str:
    """`value`, if it is a name that Kubernetes accepts."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise wrong_field(BadRequest, field, value, "it must be a Kubernetes name: lower-case letters, digits, - and .")
    return value


WORKFLOWS = Kind("argoproj.io/v1alpha1", "Workflow", "workflows")
WORKFLOW_TEMPLATES = Kind("argoproj.io/v1alpha1", "WorkflowTemplate", "workflowtemplates")
CLUSTER_WORKFLOW_TEMPLATES = Kind(
    "argoproj.io/v1alpha1", "ClusterWorkflowTemplate", "clusterworkflowtemplates", namespaced=False
)
TASK_SETS = Kind("argoproj.io/v1alpha1", "WorkflowTaskSet", "workflowtasksets")
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
SECRETS = Kind("v1", "Secret", "secrets")
PODS = Kind("v1", "Pod", "pods")
EVENTS = Kind("v1", "Event", "events")
SERVICE_ACCOUNTS = Kind("v1", "ServiceAccount", "serviceaccounts")
ROLES = Kind("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDINGS = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
TOKEN_REVIEWS = Kind("authentication.k8s.io/v1", "TokenReview", "tokenreviews", namespaced=False)
NODES = Kind("v1", "Node", "nodes", namespaced=False)
LEASES = Kind("coordination.k8s.io/v1", "Lease", "leases")
SUBJECT_ACCESS_REVIEWS = Kind(
    "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
)
SELF_REVIEWS = Kind("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)


def annotations(thing: Object) -> dict[str, str]:
    """The object's annotations; empty when it has none."""
    return dict(thing.get("metadata", {}).get("annotations") or {})


def labels(thing: Object) -> dict[str, str]:
    """The object's labels; empty when it has none."""
    return dict(thing.get("metadata", {}).get("labels") or {})
