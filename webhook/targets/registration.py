"""The Secrets at the front door that register targets, and which of several counts."""

from collections.abc import Iterable

from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS, checked_name
from webhook.model.contract import CLUSTER
from webhook.model.objects import Object, labels


def registered(front: Cluster, space: str) -> list[tuple[str, Object]]:
    """The targets' names and Secrets, in the order of their names; `space` is the namespace of the Secrets."""
    secrets, _ = front.list(SECRETS, space, selector=CLUSTER)
    return sorted(((labels(secret).get(CLUSTER, ""), secret) for secret in secrets), key=lambda pair: pair[0])


def secrets_of(front: Cluster, space: str, name: str) -> list[Object]:
    """The Secrets that register a target. Raises BadRequest for something that can't be a name."""
    return front.list(SECRETS, space, selector=f"{CLUSTER}={checked_name('target', name)}")[0]


def counted(secrets: Iterable[Object]) -> Object:
    """The one that counts of several Secrets of one target: the oldest, as for `webhook.kube.registry`."""
    return min(secrets, key=_age)


def _age(secret: Object) -> tuple[str, str]:
    metadata = secret["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata["name"])
