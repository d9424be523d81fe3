"""Reserves room for a candidate: decides and writes in one transaction, or only decides in a dry run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from webhook.admission.candidate import Candidate
from webhook.errors import LedgerUnavailable
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import RESERVE_NEEDS
from webhook.scout.model import Decision
from webhook.scout.placer import Placer, request_of, settled


def reserve(placer: Placer, candidate: Candidate, deadline: Deadline, *, dry_run: bool) -> Decision:
    """The decision; it is in the ledger unless it is a refusal or this is a dry run.

    Room is reserved before any target is asked, so that the namespace's lock is never held while a cluster is slow.
    Raises Unavailable if the answer might reach the apiserver too late.
    """
    deadline.check("to reserve room", need=RESERVE_NEEDS)
    if dry_run:
        return settled(candidate.new, placer.peek(request_of(candidate.new)))
    return placer.admit(candidate.new)


@contextmanager
def released_unless_answered(pool: Pool, candidate: Candidate) -> Iterator[None]:
    """Free the reservation at once if the block fails, since the origin will never appear.

    If the process dies or the ledger is away, the placement is left without an origin, and expires.
    """
    try:
        yield
    except Exception:
        with suppress(LedgerUnavailable):
            placements.expired(pool, candidate.new.placement)
        raise
