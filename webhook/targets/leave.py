"""Removes a target: what registers it at the front door, and what Medea was given there. Everything may be repeated."""

from collections.abc import Iterator

from webhook.errors import Conflict, Missing, NotThere
from webhook.kube.client import Cluster
from webhook.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    WORKFLOWS,
    Resource,
)
from webhook.model.contract import CONSENT, DRAIN, PLACEMENT
from webhook.model.finalizers import allow_deletion, is_deletion_blocked, is_deletion_ongoing
from webhook.model.objects import Object
from webhook.targets.grants import SPACE
from webhook.targets.registration import secrets_of

# Bindings first: from then on Medea can do nothing there, whatever of the rest is left by a failure.
_KINDS: tuple[Resource, ...] = (
    ROLE_BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    ROLES,
    CLUSTER_ROLES,
    SERVICE_ACCOUNTS,
)

_ATTEMPTS = 5


def set_drain(front: Cluster, space: str, name: str, *, drain: bool) -> None:
    """Have nothing new placed on a target, or let it be used again. Raises Missing if it is not registered."""
    secrets = secrets_of(front, space, name)
    if not secrets:
        raise Missing(f"target {name} is not registered at this front door; `medea target list` shows those that are")
    for secret in secrets:
        patch = {"metadata": {"annotations": {DRAIN: "true" if drain else None}}}
        front.patch(SECRETS, space, secret["metadata"]["name"], patch)


def unregister(front: Cluster, space: str, name: str) -> Iterator[str]:
    """Delete the Secrets that register a target; yields the names of those that are gone."""
    for secret in secrets_of(front, space, name):
        front.delete(SECRETS, space, secret["metadata"]["name"], propagation="Background")
        yield secret["metadata"]["name"]


def revoke(target: Cluster) -> Iterator[str]:
    """Take back what Medea was given on a target, with an administrator's client; yields what is gone.

    Runs that are still there lose Medea's finalizer, which nobody else would take off.
    """
    for run in target.list(WORKFLOWS, selector=PLACEMENT)[0]:
        if is_deletion_blocked(run):
            _release(target, run)
            yield f"the finalizer of Workflow {run['metadata']['name']} in {run['metadata']['namespace']}"
    for kind in _KINDS:
        for one in target.list(kind, selector=f"{CONSENT}=true")[0]:
            namespace = one["metadata"].get("namespace")
            target.delete(kind, namespace, one["metadata"]["name"], propagation="Background")
            yield f"{kind.kind} {one['metadata']['name']}" + (f" in {namespace}" if namespace else "")
    for one in target.list(NAMESPACES, selector=f"{CONSENT}=true")[0]:
        if one["metadata"]["name"] == SPACE and not is_deletion_ongoing(one):
            target.delete(NAMESPACES, None, SPACE, propagation="Background")
            yield f"Namespace {SPACE}"


def _release(target: Cluster, run: Object) -> None:
    """Take Medea's finalizer off a run, which may be changing all the time. Raises Conflict if it never rests."""
    namespace, name, found = run["metadata"]["namespace"], run["metadata"]["name"], run
    for attempt in range(_ATTEMPTS):
        patch = allow_deletion(found)
        if not patch:
            return
        try:
            target.patch(WORKFLOWS, namespace, name, patch)
        except NotThere:
            return
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
            found = target.find(WORKFLOWS, namespace, name) or {"metadata": {}}
        else:
            return
