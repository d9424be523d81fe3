"""Forgets a target that is gone for good, so that nothing waits for it any more.

Medea itself never concludes this: a target that is away or not registered may come back.
"""

from collections import Counter

from webhook.errors import Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS, checked_name
from webhook.ledger import identities, placements
from webhook.ledger.by_cluster import placements_on
from webhook.ledger.placement import SweepRow
from webhook.ledger.pool import Pool
from webhook.model.contract import CLUSTER, State
from webhook.model.limits.admin import FORGET_PAGE

LOST = "ended as Lost"
QUEUED = "queued for another target"
DELETED = "deleted"
HAD_ENDED = "had ended before"
LEFT = "left alone: changed meanwhile, or of a newer Medea"


def check_unregistered(front: Cluster, namespace: str, target: str) -> None:
    """Raises Refused while the target's Secret exists, and BadRequest if `target` can't be a target's name."""
    secrets, _ = front.list(SECRETS, namespace, selector=f"{CLUSTER}={checked_name('target', target)}")
    if secrets:
        names = " ".join(secret["metadata"]["name"] for secret in secrets)
        raise Refused(
            f"target {target} is still registered; if it is gone for good: kubectl -n {namespace} delete secret {names}"
        )


def forget(pool: Pool, target: str) -> Counter[str]:
    """Detach all placements from the target; returns how many became what. May be repeated.

    Any cluster may be registered by its name afterwards.
    The controller does the rest: at its next sweep the origins show their end, and origins being deleted disappear.
    """
    became: Counter[str] = Counter()
    message = f"Lost: its target {target} is gone for good, and with it what ran there. Submit it again."
    after = 0
    while page := placements_on(pool, target, after, FORGET_PAGE):
        for row in page:
            became[_forget(pool, target, row, message)] += 1
        after = page[-1].seq
    identities.forget(pool, target)
    return became


def _forget(pool: Pool, target: str, row: SweepRow, message: str) -> str:
    # If no create was tried, nothing is lost.
    if row.state is State.RESERVED and placements.requeued(pool, row.placement, reason=f"{target} is gone for good"):
        return QUEUED
    if placements.lost(pool, row.placement, message, cluster=target) is None:
        return LEFT
    return {State.DELETING: DELETED, State.ENDED: HAD_ENDED}.get(row.state, LOST)
