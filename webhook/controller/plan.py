"""Decides what to do next for one placement. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from webhook.ledger.placement import Placement
from webhook.model.contract import Hold, State
from webhook.model.finalizers import is_deletion_blocked, is_deletion_ongoing
from webhook.model.limits.controller import AWAY_GRACE
from webhook.model.made_workflows import Made
from webhook.model.objects import Object, status_of
from webhook.model.run import origin_placement
from webhook.model.subworkflows import ended
from webhook.model.verbs import pending


@dataclass(frozen=True)
class Away:
    """A target can't be used. `words` say why and don't change while it lasts; `seconds` is for how long by now."""

    words: str
    seconds: float

    @property
    def long(self) -> bool:
        """Whether it has lasted longer than a restart of an apiserver takes."""
        return self.seconds >= AWAY_GRACE


@dataclass(frozen=True)
class Facts:
    """Everything known about one placement.

    `origin_gone` is true only if the front door itself has said so. `strays` are runs of the placement that are not the
    run in the ledger, with their targets; those on targets that are away are left out. `copies` are Workflows at the
    front door that carry the placement's id but are not its origin. `away` is about the placement's target. `version`
    changes whenever anything that was looked at changes; None if it must be looked at again anyway. `made` are the
    Workflows that the run has made on its target. `left` is how many seconds its `ttlStrategy` leaves an ended
    origin for which Medea follows it; None if it stays.
    """

    row: Placement | None
    origin: Object | None
    origin_gone: bool
    run: Object | None
    strays: Sequence[tuple[str, Object]] = ()
    copies: Sequence[Object] = ()
    away: Away | None = None
    version: Hashable = None
    made: Sequence[Made] = ()
    left: float | None = None


class Step(StrEnum):
    NOTHING = "nothing"
    BIND = "bind"
    RESTORE_MARK = "restore_mark"
    """Put the placement back onto the origin: somebody has taken it off."""
    SHOW_QUEUED = "show_queued"
    SPLIT = "split"
    """Cut, submit and follow the chunks of one that is split, and show them."""
    CREATE = "create"
    REQUEUE = "requeue"
    """Put it back into the queue: the target is away, and no create was tried there."""
    MIRROR = "mirror"
    RECORD_END = "record_end"
    CHECK_RUN = "check_run"
    """Ask the target for a run that its watch does not show: it may be gone, or its labels."""
    APPLY_VERBS = "apply_verbs"
    """Apply to the run what a person has done to the origin."""
    FINISH = "finish"
    DELETE_OLD = "delete_old"
    """Delete an ended origin: its `ttlStrategy` says so, and no Argo controller is there to follow it."""
    SHOW_LATER = "show_later"
    """Show what Argo has noted of the run since its end, such as which of its artifacts are deleted."""
    LET_RUN_GO = "let_run_go"
    """Remove the run's finalizer: its end is in the ledger, so it may be deleted on its target."""
    MARK_DELETING = "mark_deleting"
    REMOVE = "remove"
    REMOVE_FINALIZER = "remove_finalizer"
    """Remove the origin's finalizer."""
    WAIT_FOR_TARGET = "wait_for_target"
    """Nothing can be done until the target is back. That it is away is never a reason to end what was accepted."""


class Then(Enum):
    """What follows a step."""

    GO_ON = auto()
    """The step has changed the ledger: plan again."""
    WAIT = auto()
    """Wait until a watched object changes."""
    WAIT_FOR_TARGET = auto()
    """Wait until the target is no longer away."""


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
    """Copies that are being deleted but have Medea's finalizer, although they never had a run."""
    return [copy for copy in facts.copies if is_deletion_ongoing(copy) and is_deletion_blocked(copy)]


def is_at_rest(facts: Facts) -> bool:
    """Whether there is nothing to do for a placement until its `version` changes."""
    row = facts.row
    if row is None or facts.origin is None or facts.away is not None:
        return False
    if origin_placement(facts.origin) != row.placement:
        return False
    match row.state:
        case State.RUNNING:
            return facts.run is not None
        case State.ENDED:
            return row.end_shown
    return row.state is State.QUEUED


def _wanted(facts: Facts) -> Step:
    """The next step if no target were away. Deletion comes first, even before a create that has begun."""
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
    if origin_placement(origin) != row.placement:
        return Step.RESTORE_MARK
    return Step.APPLY_VERBS if _verbs_come_first(row, origin, facts.run) else _live(row, origin, facts)


def _needs_target(step: Step, row: Placement, origin: Object | None) -> bool:
    match step:
        case Step.CREATE | Step.MIRROR | Step.CHECK_RUN | Step.RECORD_END | Step.LET_RUN_GO:
            return True
        case Step.REMOVE:
            return row.run_name is not None
        case Step.APPLY_VERBS if row.state is State.ENDED:
            return any(verb.retry for verb in pending(origin or {}))
        case Step.APPLY_VERBS:
            return row.state is State.RUNNING
    return False


def _verbs_come_first(row: Placement, origin: Object, run: Object | None) -> bool:
    """Whether to apply verbs now: not before a run that may exist is found, nor before its end is recorded.

    A retry is the exception, since it undoes the end.
    """
    verbs = pending(origin)
    if not verbs:
        return False
    if row.state is State.RESERVED:
        return row.run_name is None and any(verb.shutdown for verb in verbs)
    if row.state is State.RUNNING and run is not None and ended(run):
        return any(verb.retry for verb in verbs)
    return True


def _live(row: Placement, origin: Object, facts: Facts) -> Step:
    run = facts.run
    match row.state:
        case State.QUEUED:
            return Step.SHOW_QUEUED
        case State.SPLIT:
            return Step.SPLIT
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
        case State.ENDED if row.cluster is not None and (
            row.run_kept or (run is not None and is_deletion_blocked(run))
        ):
            return Step.LET_RUN_GO
        case State.ENDED if facts.left is not None and facts.left <= 0:
            return Step.DELETE_OLD
        case State.ENDED if row.hold is Hold.NONE and run is not None and _shows_end_of(origin, run):
            return Step.SHOW_LATER
    return Step.NOTHING


def _shows_end_of(origin: Object, run: Object) -> bool:
    """Whether the origin shows this very end, and not one after a retry of which the watch has not told yet."""
    shown, there = status_of(origin), status_of(run)
    same = all(shown.get(key) == there.get(key) for key in ("phase", "finishedAt"))
    return same and ended(run) is not None
