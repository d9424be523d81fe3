"""The node pools of targets, as their Secrets name them."""

from webhook.errors import NodesUnknown
from webhook.kube.registry import Registry
from webhook.model.run import Original
from webhook.nodes.apply import on_pools
from webhook.nodes.pools import Pools, noted_pools


def pools_on(registry: Registry, target: str) -> Pools:
    """The node pools of a target. Raises NodesUnknown if what its Secret says of them can't be read."""
    try:
        return noted_pools(registry.secret(target))
    except ValueError as error:
        raise NodesUnknown(f"the node pools of {target} are not known: {error}", cluster=target) from error


def on_nodes(registry: Registry, target: str, original: Original) -> tuple[Original, str]:
    """What runs on a target, and where its steps go there, for people; see `on_pools`. Raises Rejected."""
    if not original.get("node_placement"):
        return original, ""
    return on_pools(original, pools_on(registry, target), target)
