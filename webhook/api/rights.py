"""Who may do what: asked of the front door. And on whose behalf a plugin step acts.

The plugin acts for every Workflow of its namespace, so its token proves only the namespace. A step has the rights of
the asking Workflow's ServiceAccount, like any other template of Argo's.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.api.tokens import Identity
from webhook.errors import Forbidden, Missing, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS, WORKFLOWS
from webhook.model.contract import ASKED
from webhook.model.deadline import utc_now
from webhook.model.moments import moment_of
from webhook.model.objects import Object, annotations
from webhook.model.subworkflows import ended, shutdown_of

_GROUP, _, _ = WORKFLOWS.api_version.partition("/")
_ACCOUNTS = "system:serviceaccounts"
VERB_RIGHTS = {
    "stop": "patch",
    "terminate": "patch",
    "suspend": "update",
    "resume": "update",
    "retry": "update",
    "set": "update",
    "resubmit": "create",
}
"""By verb on a Workflow, the Kubernetes verb that it takes, as argo-server does it."""


@dataclass(frozen=True)
class Requester:
    """The Workflow whose step asks. `attempt` changes when it is retried, and is empty until Argo has started it."""

    namespace: str
    name: str
    uid: str
    account: str
    attempt: str
    ending: bool
    overdue: bool
    """Its `activeDeadlineSeconds` are over. Argo itself ends only steps that have not started, so Medea ends these."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """The notes that its steps have left on it, by annotation."""

    @property
    def user(self) -> str:
        """The Kubernetes user name of its ServiceAccount."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"


def requester_of(workflow: Object, now: datetime.datetime) -> Requester:
    """The requester that a Workflow describes. Pure."""
    metadata, status = workflow["metadata"], workflow.get("status") or {}
    # Argo stores the Workflow merged with its WorkflowTemplate and the controller's defaults there.
    spec = status.get("storedWorkflowTemplateSpec") or workflow.get("spec") or {}
    return Requester(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        account=spec.get("serviceAccountName") or "default",
        attempt=status.get("startedAt") or "",
        ending=bool(ended(workflow) or shutdown_of(workflow) or "deletionTimestamp" in metadata),
        overdue=_overdue(status.get("startedAt"), spec.get("activeDeadlineSeconds"), now),
        memory={key: text for key, text in annotations(workflow).items() if key.startswith(ASKED)},
    )


def _overdue(started: object, seconds: object, now: datetime.datetime) -> bool:
    moment = moment_of(started)
    if moment is None or not isinstance(seconds, int):
        return False
    try:
        return now > moment + datetime.timedelta(seconds=seconds)
    except OverflowError:
        # Of centuries: never, as far as anybody can tell.
        return False


@dataclass(frozen=True)
class Rights:
    """Asks the front door about Workflows and rights."""

    front: Cluster

    def requester(self, namespace: str, name: str, uid: str) -> Requester:
        """The Workflow that asks, as it is now. Raises Missing if it is gone or replaced by another one."""
        found = self.front.find(WORKFLOWS, namespace, name)
        if found is None or found["metadata"]["uid"] != uid:
            raise Missing(f"the Workflow {quoted(name)} whose step asks is gone")
        return requester_of(found, utc_now())

    def check(self, requester: Requester, verb: str, name: str) -> None:
        """Raises Forbidden, saying what to grant, if the requester may not do `verb` to the Workflow `name`."""
        groups = (_ACCOUNTS, f"{_ACCOUNTS}:{requester.namespace}", "system:authenticated")
        if not self.allowed(Identity(requester.user, groups), verb, requester.namespace, name):
            raise Forbidden(
                f"the ServiceAccount {requester.account} of Workflow {requester.name} may not {verb} Workflow {name}: "
                + what_grants(verb, requester.namespace),
                user=requester.user,
                verb=verb,
                namespace=requester.namespace,
            )

    def allowed(self, who: Identity, verb: str, namespace: str, name: str) -> bool:
        """Whether `who` may do the Kubernetes verb to the Workflow `name`; to all of the namespace if it is empty."""
        return self.may(who, verb, namespace=namespace, group=_GROUP, resource=WORKFLOWS.plural, name=name)

    def may(self, who: Identity, verb: str, *, namespace: str, group: str, resource: str, name: str) -> bool:
        """The same about any resource of an API group: it need not be served, a Role may grant it all the same."""
        about = {"namespace": namespace, "verb": verb, "group": group, "resource": resource, "name": name}
        spec = {
            "user": who.user,
            "groups": list(who.groups),
            "uid": who.uid,
            "extra": {key: list(values) for key, values in who.extra.items()},
            "resourceAttributes": about,
        }
        review = self.front.create(SUBJECT_ACCESS_REVIEWS, None, {"spec": spec})
        return (review.get("status") or {}).get("allowed") is True


def what_grants(verb: str, namespace: str) -> str:
    """Which right is missing, for people."""
    return f"a Role in namespace {namespace} must grant it {verb} on {WORKFLOWS.plural} of {_GROUP}"
