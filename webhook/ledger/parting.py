"""What the ledger is told when Medea is uninstalled: nothing is under way any more. A later one may go on with it."""

from webhook.ledger.pool import Pool
from webhook.model.limits.admin import FORGET_PAGE

_ENDED = """UPDATE workflows SET state = 'ended', phase = 'Error', message = %(message)s, mirrored = true,
    ended_at = now(), released_at = coalesce(released_at, now()) WHERE placement IN (SELECT placement FROM workflows
    WHERE state IN ('queued', 'reserved', 'running', 'split') LIMIT %(limit)s)"""
_DELETED = """UPDATE workflows SET state = 'deleted', deleted_at = now(), released_at = coalesce(released_at, now())
    WHERE placement IN (SELECT placement FROM workflows WHERE state = 'deleting' LIMIT %(limit)s)"""


def part(pool: Pool, message: str) -> int:
    """End every placement, a page at a time; returns how many. What waits to be deleted counts as deleted."""
    return sum(_all(pool, change, message) for change in (_ENDED, _DELETED))


def _all(pool: Pool, change: str, message: str) -> int:
    count = 0
    while True:
        with pool.transaction() as connection:
            changed = connection.execute(change, {"message": message, "limit": FORGET_PAGE}).rowcount
        if not changed:
            return count
        count += changed
