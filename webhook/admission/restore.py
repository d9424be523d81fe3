"""Finds the Workflow to place: for a copied stub, the original behind it."""

from webhook.admission.memoized import memoized_nodes, own_memoized_nodes, with_status
from webhook.admission.stub import arguments_again, stub_placement
from webhook.admission.submission import Submission
from webhook.errors import Refused, quoted
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.deadline import Deadline
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object


def restore(pool: Pool, namespace: str, submission: Submission, deadline: Deadline) -> Object:
    """The Workflow to place. Raises Refused for a stub that this front door does not know."""
    copied = stub_placement(submission.spec)
    if copied is None:
        return with_status(submission.workflow, own_memoized_nodes(submission.workflow))
    deadline.check("to look for what it is a copy of")
    row = placements.get(pool, copied)
    original = placements.original(pool, copied)
    if row is None or original is None or row.namespace != namespace:
        raise Refused(
            f"it is a copy of placement {quoted(copied)}, which this front door does not know; submit the original"
        )
    own = original["workflow"]["spec"]
    spec = {**own, "arguments": arguments_again(own.get("arguments"), submission.spec.get("arguments"))}
    done = memoized_nodes(nodes_of(submission.workflow), name=submission.name or "", cluster=row.cluster or "")
    return with_status({**submission.workflow, "spec": spec}, done)
