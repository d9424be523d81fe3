"""Room for a candidate: chosen and promised in one transaction, or only looked for in a dry run."""

from webhook.admission.candidate import Candidate
from webhook.scout.model import Decision
from webhook.scout.placer import Placer, request_of


def reserve(placer: Placer, candidate: Candidate, *, dry_run: bool) -> Decision:
    """The decision, which is in the ledger unless it is a refusal or this is a dry run.

    The room is reserved before any target is asked, so that the lock on the reservations is never held while a cluster
    is slow. A process that dies in between leaves a placement without an origin, which expires.
    """
    if dry_run:
        return placer.peek(request_of(candidate.new))
    return placer.admit(candidate.new)
