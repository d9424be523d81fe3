"""What to do next about one placement: a pure function of what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from webhook.controller.origin_status.stub import final_phase
from webhook.ledger.placement import Placement
from webhook.model.contract import State
from webhook.model.finalizers import is_deletion_blocked, is_deletion_ongoing
from webhook.model.objects import Object
from webhook.model.verbs import pending


@dataclass(frozen=True)
class Facts:
    """All that is known of one placement.

    `origin_gone` is true only when the front door itself has said so. `strays` are runs that carry the placement's id
    but are not the run the ledger speaks of, with the cluster they are on. `copies` are Workflows at the front door
    that carry the id without being its origin.
    """

    row: Placement | None
    origin: Object | None
    origin_gone: bool
    run: Object | None
    strays: Sequence[tuple[str, Object]] = ()
    copies: Sequence[Object] = ()


class Step(StrEnum):
    NOTHING = "nothing"
    BIND = "bind"
    REMOVE_STRAYS = "remove_strays"
    SHOW_QUEUED = "show_queued"
    CREATE = "create"
    MIRROR = "mirror"
    RECORD_END = "record_end"
    CHECK_RUN = "check_run"
    APPLY_VERBS = "apply_verbs"
    """Do to the run what a person has done to the origin."""
    FINISH = "finish"
    REMOVE_RUN_FINALIZER = "remove_run_finalizer"
    """Take the finalizer off the run: its end is in the ledger, so its target may do away with it."""
    MARK_DELETING = "mark_deleting"
    REMOVE = "remove"
    REMOVE_FINALIZER = "remove_finalizer"
    """Take the finalizer off the origin."""
    RELEASE_COPIES = "release_copies"


def plan(facts: Facts) -> Step:
    """The next step. Deletion comes before everything: a tombstone wins over a create that is under way."""
    row, origin = facts.row, facts.origin
    if row is None:
        return (
            Step.REMOVE_FINALIZER
            if origin is not None and is_deletion_ongoing(origin) and is_deletion_blocked(origin)
            else Step.NOTHING
        )
    if row.state is State.UNKNOWN:
        return Step.NOTHING
    if any(is_deletion_ongoing(copy) and is_deletion_blocked(copy) for copy in facts.copies):
        return Step.RELEASE_COPIES
    if facts.strays:
        return Step.REMOVE_STRAYS
    if row.state is State.DELETED:
        return Step.REMOVE_FINALIZER if origin is not None and is_deletion_blocked(origin) else Step.NOTHING
    if row.state is State.DELETING:
        return Step.REMOVE
    if row.bound_at is None or row.state is State.EXPIRED:
        return Step.BIND if origin is not None else Step.NOTHING
    if facts.origin_gone or (origin is not None and is_deletion_ongoing(origin)):
        return Step.MARK_DELETING
    if origin is None:
        return Step.NOTHING
    return Step.APPLY_VERBS if _verbs_come_first(row, origin, facts.run) else _live(row, facts.run)


def _verbs_come_first(row: Placement, origin: Object, run: Object | None) -> bool:
    """An end that nobody asked to undo is recorded before any verb, and a run that may exist is waited for."""
    verbs = pending(origin)
    if not verbs:
        return False
    if row.state is State.RESERVED:
        return row.run_name is None and any(verb.shutdown for verb in verbs)
    if row.state is State.RUNNING and run is not None and final_phase(run):
        return any(verb.retry for verb in verbs)
    return True


def _live(row: Placement, run: Object | None) -> Step:
    match row.state:
        case State.QUEUED:
            return Step.SHOW_QUEUED
        case State.RESERVED:
            return Step.CREATE
        case State.RUNNING if run is None:
            return Step.CHECK_RUN
        case State.RUNNING if run is not None and (final_phase(run) or is_deletion_ongoing(run)):
            return Step.RECORD_END
        case State.RUNNING:
            return Step.MIRROR
        case State.ENDED if not row.end_shown:
            return Step.FINISH
        case State.ENDED if run is not None and is_deletion_blocked(run):
            return Step.REMOVE_RUN_FINALIZER
    return Step.NOTHING
