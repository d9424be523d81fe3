"""What to do next about one placement: a pure function of what is known."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from webhook.ledger.placement import Placement
from webhook.model.contract import State
from webhook.model.finalizers import is_deletion_blocked, is_deletion_ongoing
from webhook.model.limits import AWAY_GRACE
from webhook.model.objects import Object
from webhook.model.subworkflows import ended
from webhook.model.verbs import pending


@dataclass(frozen=True)
class Away:
    """A target can't be used: `words` for people, the same as long as it lasts, and for how many seconds by now."""

    words: str
    seconds: float

    @property
    def long(self) -> bool:
        """Whether it is more than an apiserver that is restarted."""
        return self.seconds >= AWAY_GRACE


@dataclass(frozen=True)
class Facts:
    """All that is known of one placement.

    `origin_gone` is true only when the front door itself has said so. `strays` are runs that carry the placement's id
    but are not the run the ledger speaks of, with the target they are on; those on targets that are away are left out.
    `copies` are Workflows at the front door that carry the id without being its origin. `away` is about the target
    that the placement is on. `version` changes with everything that was looked at.
    """

    row: Placement | None
    origin: Object | None
    origin_gone: bool
    run: Object | None
    strays: Sequence[tuple[str, Object]] = ()
    copies: Sequence[Object] = ()
    away: Away | None = None
    version: Hashable = None


class Step(StrEnum):
    NOTHING = "nothing"
    BIND = "bind"
    SHOW_QUEUED = "show_queued"
    CREATE = "create"
    REQUEUE = "requeue"
    """Back to the queue: the target is away, and no create was tried there."""
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
    WAIT_FOR_TARGET = "wait_for_target"
    """Nothing can be done before the target is back. Being away is never a reason to end what was accepted."""


class Then(Enum):
    """What follows a step."""

    GO_ON = auto()
    """The ledger has changed by it: there is a next step."""
    WAIT = auto()
    """Until something changes that is watched."""
    WAIT_FOR_TARGET = auto()
    """Until the target is no longer away."""


def plan(facts: Facts) -> Step:
    """The next step."""
    row, step = facts.row, _wanted(facts)
    if row is None or facts.away is None or not _needs_target(step, row, facts.origin):
        return step
    if step is Step.MIRROR and not facts.away.long:
        return step
    if step is Step.CREATE and row.run_name is None and facts.away.long:
        return Step.REQUEUE
    return Step.WAIT_FOR_TARGET


def deleted_copies(facts: Facts) -> list[Object]:
    """Copies that are being deleted and wait for a run that they never had."""
    return [copy for copy in facts.copies if is_deletion_ongoing(copy) and is_deletion_blocked(copy)]


def is_at_rest(facts: Facts) -> bool:
    """Whether nothing is to be done for a placement until what was looked at changes, as `version` tells."""
    row = facts.row
    if row is None or facts.origin is None or facts.away is not None:
        return False
    match row.state:
        case State.RUNNING:
            return facts.run is not None
        case State.ENDED:
            return row.end_shown
    return row.state is State.QUEUED


def _wanted(facts: Facts) -> Step:
    """The next step if every target were there. Deletion comes first: a tombstone wins over a create under way."""
    row, origin = facts.row, facts.origin
    if row is None:
        return (
            Step.REMOVE_FINALIZER
            if origin is not None and is_deletion_ongoing(origin) and is_deletion_blocked(origin)
            else Step.NOTHING
        )
    if row.state is State.UNKNOWN:
        return Step.NOTHING
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


def _needs_target(step: Step, row: Placement, origin: Object | None) -> bool:
    match step:
        case Step.CREATE | Step.MIRROR | Step.CHECK_RUN | Step.RECORD_END | Step.REMOVE_RUN_FINALIZER:
            return True
        case Step.REMOVE:
            return row.run_name is not None
        case Step.APPLY_VERBS if row.state is State.ENDED:
            return any(verb.retry for verb in pending(origin or {}))
        case Step.APPLY_VERBS:
            return row.state is State.RUNNING
    return False


def _verbs_come_first(row: Placement, origin: Object, run: Object | None) -> bool:
    """An end that nobody asked to undo is recorded before any verb, and a run that may exist is waited for."""
    verbs = pending(origin)
    if not verbs:
        return False
    if row.state is State.RESERVED:
        return row.run_name is None and any(verb.shutdown for verb in verbs)
    if row.state is State.RUNNING and run is not None and ended(run):
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
        case State.RUNNING if run is not None and (ended(run) or is_deletion_ongoing(run)):
            return Step.RECORD_END
        case State.RUNNING:
            return Step.MIRROR
        case State.ENDED if not row.end_shown:
            return Step.FINISH
        case State.ENDED if run is not None and is_deletion_blocked(run):
            return Step.REMOVE_RUN_FINALIZER
    return Step.NOTHING
