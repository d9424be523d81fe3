"""For whom a plugin step acts, and whether that account may do it.

The plugin speaks for every Workflow of its namespace, so its own token proves the namespace alone. What a step does is
measured by the ServiceAccount of the Workflow that asks, as with every other template of Argo's.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.errors import Forbidden, Missing, quoted
from webhook.kube.client import Cluster
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS, WORKFLOWS
from webhook.model.contract import ASKED
from webhook.model.objects import Object, annotations
from webhook.model.subworkflows import ended, shutdown_of

_GROUP, _, _ = WORKFLOWS.api_version.partition("/")


@dataclass(frozen=True)
class Requester:
    """The Workflow whose step asks. `attempt` changes when it is retried; it is empty until Argo has begun it."""

    namespace: str
    name: str
    uid: str
    account: str
    attempt: str
    ending: bool
    overdue: bool
    """Its `activeDeadlineSeconds` are over. Argo ends what has not begun by then, and leaves running steps alone."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """What its steps have noted on it."""

    @property
    def user(self) -> str:
        """Its ServiceAccount as Kubernetes calls it."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"


def requester_of(workflow: Object, now: datetime.datetime) -> Requester:
    """What is known of the asking Workflow. Pure."""
    metadata, status = workflow["metadata"], workflow.get("status") or {}
    # Argo joins the Workflow, its WorkflowTemplate and its own defaults in there.
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
    if not isinstance(started, str) or not isinstance(seconds, int):
        return False
    try:
        return now > datetime.datetime.fromisoformat(started) + datetime.timedelta(seconds=seconds)
    except (ValueError, TypeError, OverflowError):
        # Of centuries, or from a moment that is none: never, as far as anybody can tell.
        return False


@dataclass(frozen=True)
class Rights:
    """Asks the front door."""

    front: Cluster

    def requester(self, namespace: str, name: str, uid: str) -> Requester:
        """The Workflow that asks, as it is now. Raises Missing when it is another one, or gone."""
        found = self.front.find(WORKFLOWS, namespace, name)
        if found is None or found["metadata"]["uid"] != uid:
            raise Missing(f"the Workflow {quoted(name)} whose step asks is gone")
        return requester_of(found, datetime.datetime.now(datetime.UTC))

    def check(self, requester: Requester, verb: str, name: str) -> None:
        """Raises Forbidden, with what to grant, unless the asker's account may do `verb` to the Workflow `name`."""
        about = {
            "namespace": requester.namespace,
            "verb": verb,
            "group": _GROUP,
            "resource": WORKFLOWS.plural,
            "name": name,
        }
        accounts = "system:serviceaccounts"
        groups = [accounts, f"{accounts}:{requester.namespace}", "system:authenticated"]
        spec = {"user": requester.user, "groups": groups, "resourceAttributes": {**about, "name": name}}
        review = self.front.create(SUBJECT_ACCESS_REVIEWS, None, {"spec": spec})
        if (review.get("status") or {}).get("allowed") is not True:
            raise Forbidden(
                f"the ServiceAccount {requester.account} of Workflow {requester.name} may not {verb} Workflow {name}: "
                f"a Role in namespace {requester.namespace} must grant it {verb} on {WORKFLOWS.plural} of {_GROUP}"
            )
