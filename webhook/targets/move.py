"""Moves the targets' Secrets to a namespace of their own, from the one that they shared with Medea's other Secrets.

First they are copied, then a newer Medea starts, and at last the old ones go: until then an older Medea can come back,
and finds its own. Every step may be repeated.
"""

from collections.abc import Iterator

from webhook.errors import Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_PROFILES, NAMESPACES, SECRETS
from webhook.model.objects import Object, annotations, labels
from webhook.targets.join import Done
from webhook.targets.profile import MANAGED_BY, MANAGER
from webhook.targets.registration import counted, registered

# What `kubectl apply` notes there is the whole object, with the namespace that it was applied to.
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def copy(front: Cluster, source: str, space: str) -> Iterator[Done]:
    """Copy each target's Secret from the namespace `source` to `space`, unless the target has one there.

    Yields what became of each. Raises Refused if both are the same, and the front door's errors.
    """
    _check_apart(source, space)
    if front.find(NAMESPACES, None, space) is None:
        front.create(NAMESPACES, None, {"metadata": {"name": space}})
        yield Done("made", f"Namespace {space} at the front door")
    known = set(_by_target(front, space))
    for target, secrets in _by_target(front, source).items():
        if target in known:
            yield Done("as it was", f"target {target}, which has a Secret in {space}")
            continue
        secret = counted(secrets)
        front.create(SECRETS, space, _copied(secret))
        yield Done("made", f"Secret {secret['metadata']['name']} in {space}, for target {target}")


def finish(front: Cluster, source: str, space: str) -> Iterator[str]:
    """Delete the Secrets of targets in `source`, and what shows them there; yields the names of those that are gone.

    Raises Refused, before anything is deleted, if a target has no Secret in `space`.
    """
    _check_apart(source, space)
    old, known = _by_target(front, source), set(_by_target(front, space))
    missing = sorted(set(old) - known)
    if missing:
        raise Refused(f"target {', '.join(missing)} has no Secret in {space} yet; nothing was done: medea target move")
    for secret in (one for secrets in old.values() for one in secrets):
        metadata = secret["metadata"]
        front.delete(SECRETS, source, metadata["name"], uid=metadata["uid"], propagation="Background")
        yield f"Secret {metadata['name']} in {source}"
    if CLUSTER_PROFILES.plural in front.served(CLUSTER_PROFILES.api_version):
        for profile in front.list(CLUSTER_PROFILES, source, selector=f"{MANAGED_BY}={MANAGER}")[0]:
            front.delete(CLUSTER_PROFILES, source, profile["metadata"]["name"], propagation="Background")
            yield f"ClusterProfile {profile['metadata']['name']} in {source}"


def _check_apart(source: str, space: str) -> None:
    if source == space:
        raise Refused(
            f"the targets' Secrets are to be in {space}, where they are: MEDEA_TARGETS_NAMESPACE names another one"
        )


def _by_target(front: Cluster, space: str) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for target, secret in registered(front, space):
        found.setdefault(target, []).append(secret)
    return found


def _copied(secret: Object) -> Object:
    kept = {name: value for name, value in annotations(secret).items() if name != _APPLIED}
    metadata = {"name": secret["metadata"]["name"], "labels": labels(secret), "annotations": kept}
    return {"metadata": metadata, "type": secret.get("type") or "Opaque", "data": secret.get("data") or {}}
