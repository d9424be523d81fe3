"""The kinds of objects that Medea reads or writes, and their URL paths."""

import re
from dataclasses import dataclass

from webhook.errors import BadRequest, wrong_field

# Names that an apiserver accepts in a path. Checked because names come from users: with anything else in it, a path
# could lead to another object, with Medea's rights.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Resource:
    """One resource of the Kubernetes API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of a collection or an object. Raises BadRequest if a name is not valid."""
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        inside = f"/namespaces/{checked_name('namespace', namespace)}" if self.namespaced and namespace else ""
        one = f"/{checked_name('name', name)}" if name else ""
        return f"{root}{inside}/{self.plural}{one}" + (f"/{subresource}" if subresource else "")


def is_name(value: object) -> bool:
    """Whether Kubernetes accepts it as a name."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def checked_name(field: str, value: object) -> str:
    """`value`, if it is a name that Kubernetes accepts."""
    if isinstance(value, str) and is_name(value):
        return value
    raise wrong_field(BadRequest, field, value, "it must be a Kubernetes name: lower-case letters, digits, - and .")


WORKFLOWS = Resource("argoproj.io/v1alpha1", "Workflow", "workflows")
WORKFLOW_TEMPLATES = Resource("argoproj.io/v1alpha1", "WorkflowTemplate", "workflowtemplates")
CLUSTER_WORKFLOW_TEMPLATES = Resource(
    "argoproj.io/v1alpha1", "ClusterWorkflowTemplate", "clusterworkflowtemplates", namespaced=False
)
CRON_WORKFLOWS = Resource("argoproj.io/v1alpha1", "CronWorkflow", "cronworkflows")
TASK_SETS = Resource("argoproj.io/v1alpha1", "WorkflowTaskSet", "workflowtasksets")
NAMESPACES = Resource("v1", "Namespace", "namespaces", namespaced=False)
SECRETS = Resource("v1", "Secret", "secrets")
PODS = Resource("v1", "Pod", "pods")
RESOURCE_QUOTAS = Resource("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGES = Resource("v1", "LimitRange", "limitranges")
EVENTS = Resource("v1", "Event", "events")
SERVICE_ACCOUNTS = Resource("v1", "ServiceAccount", "serviceaccounts")
CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps")
CLAIMS = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
PRIORITY_CLASSES = Resource("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False)
DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
CLUSTER_PROFILES = Resource("multicluster.x-k8s.io/v1alpha1", "ClusterProfile", "clusterprofiles")
ROLES = Resource("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
TOKEN_REVIEWS = Resource("authentication.k8s.io/v1", "TokenReview", "tokenreviews", namespaced=False)
NODES = Resource("v1", "Node", "nodes", namespaced=False)
LEASES = Resource("coordination.k8s.io/v1", "Lease", "leases")
SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
)
SELF_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
)
SELF_REVIEWS = Resource("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)
MUTATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False
)
VALIDATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    namespaced=False,
)
