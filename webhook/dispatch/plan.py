"""What to do next about one placement: a pure function of what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webhook.contract import FINALIZER, State
from webhook.dispatch.outcome import final_phase
from webhook.ledger.placement import Placement
from webhook.verbs import pending

Object = dict[str, Any]


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
    CARRY_OUT = "carry_out"
    """Do to the run what a person has done to the origin."""
    FINISH = "finish"
    RELEASE_RUN = "release_run"
    """Take the finalizer off the run: its end is in the ledger, so its target may do away with it."""
    BEGIN_REMOVAL = "begin_removal"
    REMOVE = "remove"
    LET_GO = "let_go"
    """Take the finalizer off the origin."""
    LET_COPIES_GO = "let_copies_go"


def plan(facts: Facts) -> Step:
    """The next step. Deletion comes before everything: a tombstone wins over a create that is under way."""
    row, origin = facts.row, facts.origin
    if row is None:
        return Step.LET_GO if origin is not None and deleting(origin) and _held(origin) else Step.NOTHING
    if any(deleting(copy) and _held(copy) for copy in facts.copies):
        return Step.LET_COPIES_GO
    if facts.strays:
        return Step.REMOVE_STRAYS
    if row.state is State.DELETED:
        return Step.LET_GO if origin is not None and _held(origin) else Step.NOTHING
    if row.state is State.DELETING:
        return Step.REMOVE
    if row.bound_at is None or row.state is State.EXPIRED:
        return Step.BIND if origin is not None else Step.NOTHING
    if facts.origin_gone or (origin is not None and deleting(origin)):
        return Step.BEGIN_REMOVAL
    if origin is None:
        return Step.NOTHING
    return Step.CARRY_OUT if _verbs_come_first(row, origin, facts.run) else _live(row, facts.run)


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
        case State.RUNNING if run is not None and (final_phase(run) or deleting(run)):
            return Step.RECORD_END
        case State.RUNNING:
            return Step.MIRROR
        case State.ENDED if not row.mirrored:
            return Step.FINISH
        case State.ENDED if run is not None and _held(run):
            return Step.RELEASE_RUN
    return Step.NOTHING


def deleting(thing: Object) -> bool:
    """Whether somebody has deleted it, and finalizers are all that keeps it."""
    return "deletionTimestamp" in thing["metadata"]


def _held(thing: Object) -> bool:
    return FINALIZER in (thing["metadata"].get("finalizers") or [])
