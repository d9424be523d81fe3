"""What the choice of a target means for where the steps go there, in namespaces that want that."""

from dataclasses import replace

from webhook.admission.candidate import Candidate
from webhook.errors import Rejected
from webhook.kube.registry import Registry
from webhook.model.contract import NODE_PLACEMENT
from webhook.model.objects import Object, labels
from webhook.scout.model import Decision
from webhook.targets.node_pools import on_nodes


def wants_nodes(namespace: Object) -> bool:
    """Whether the steps of a namespace's Workflows go to node pools."""
    return labels(namespace).get(NODE_PLACEMENT) == "true"


def with_nodes(registry: Registry, candidate: Candidate, decision: Decision) -> Decision:
    """The decision, which says where the steps go, too.

    In a dry run nobody has asked the target yet: what fits no pool of it goes elsewhere when it is submitted.
    """
    if decision.cluster is None:
        return decision
    try:
        words = on_nodes(registry, decision.cluster, candidate.new.original)[1]
    except Rejected as error:
        words = error.message
    return replace(decision, reason=f"{decision.reason}; nodes: {words}") if words else decision
