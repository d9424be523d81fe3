"""Makes one copy on a target, of whatever kind. Never changes what exists there."""

from collections.abc import Callable

from webhook.errors import AlreadyExists, ClusterUnavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import Resource
from webhook.model.objects import Object

# Attempts: a copy may be made or removed by somebody else between the look and the create.
_MOST_LOOKS = 3


def make_copy(
    target: Cluster, kind: Resource, namespace: str, body: Object, check: Callable[[Object], None], *, words: str
) -> bool:
    """Make sure that `body` is there; whether it had to be made. `words` is its kind, as people call it.

    `check` is called with what has its name, and raises Rejected if that is something else.
    """
    name = str(body["metadata"]["name"])
    for _ in range(_MOST_LOOKS):
        found = target.find(kind, namespace, name)
        if found is not None:
            check(found)
            return False
        try:
            target.create(kind, namespace, body)
        except AlreadyExists:
            continue
        return True
    raise ClusterUnavailable(f"{words} {name} on {target.name} comes and goes; trying again")
