"""Room for a candidate: chosen and promised in one transaction, or only looked for in a dry run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from webhook.admission.candidate import Candidate
from webhook.errors import LedgerUnavailable
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.deadline import Deadline
from webhook.model.limits import RESERVE_NEEDS
from webhook.scout.model import Decision
from webhook.scout.placer import Placer, request_of


def reserve(placer: Placer, candidate: Candidate, deadline: Deadline, *, dry_run: bool) -> Decision:
    """The decision, which is in the ledger unless it is a refusal or this is a dry run.

    The room is reserved before any target is asked, so that the lock on the reservations is never held while a cluster
    is slow. Raises Unavailable rather than promise room when the apiserver may no longer hear of it.
    """
    deadline.check("to reserve room", need=RESERVE_NEEDS)
    if dry_run:
        return placer.peek(request_of(candidate.new))
    return placer.admit(candidate.new)


@contextmanager
def released_unless_answered(pool: Pool, candidate: Candidate) -> Iterator[None]:
    """What was reserved is free again at once when the block fails: its origin will never come.

    A process that dies in there, or a ledger that is away, leaves a placement without an origin, which expires.
    """
    try:
        yield
    except Exception:
        with suppress(LedgerUnavailable):
            placements.expired(pool, candidate.new.placement)
        raise
