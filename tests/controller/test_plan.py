"""The next step for a placement, from what is known."""

from typing import Any

import pytest

from tests.support.objects import origin, row, run
from webhook.controller.plan import Away, Facts, Step, deleted_copies, is_at_rest, plan
from webhook.model.contract import Hold, State
from webhook.model.limits.controller import AWAY_GRACE
from webhook.model.verbs import Retry, Verb, written

DELETED_AT = "2026-01-01T00:00:00Z"


def facts(**known: Any) -> Facts:
    return Facts(**{"row": row(), "origin": origin(), "origin_gone": False, "run": run(), **known})


def ended(finished: str) -> dict[str, Any]:
    """An origin and its run that show the same end."""
    status = {"phase": "Failed", "finishedAt": finished}
    return {"origin": {**origin(), "status": status}, "run": {**run(), "status": status}}


@pytest.mark.parametrize(
    ("known", "step"),
    [
        ({"row": row(bound_at=None, state=State.RESERVED), "run": None}, Step.BIND),
        ({"row": row(bound_at=None, state=State.RESERVED), "origin": None, "run": None}, Step.NOTHING),
        ({"row": row(state=State.EXPIRED, bound_at=None), "run": None}, Step.BIND),
        ({"row": row(state=State.QUEUED, cluster=None), "run": None}, Step.SHOW_QUEUED),
        ({"row": row(state=State.RESERVED), "run": None}, Step.CREATE),
        ({}, Step.MIRROR),
        ({"run": None}, Step.CHECK_RUN),
        ({"run": run("Succeeded")}, Step.RECORD_END),
        ({"run": run("Failed")}, Step.RECORD_END),
        ({"run": run(deletionTimestamp=DELETED_AT)}, Step.RECORD_END),
        ({"row": row(state=State.ENDED, phase="Failed")}, Step.FINISH),
        ({"row": row(state=State.ENDED, phase="Failed"), "run": None}, Step.FINISH),
        ({"row": row(state=State.ENDED, phase="Failed", end_shown=True)}, Step.NOTHING),
        (
            {"row": row(state=State.ENDED, phase="Failed", end_shown=True), "run": run(finalizers=["medea.dev/run"])},
            Step.LET_RUN_GO,
        ),
        # The watch does not show a run whose labels were taken off.
        ({"row": row(state=State.ENDED, phase="Failed", end_shown=True, run_kept=True), "run": None}, Step.LET_RUN_GO),
        (
            {"row": row(state=State.ENDED, end_shown=True, run_kept=True, cluster=None), "run": None},
            Step.NOTHING,
        ),
        (
            {"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE), **ended("3"), "run": None},
            Step.NOTHING,
        ),
        ({"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE), **ended("3")}, Step.SHOW_LATER),
        ({"row": row(state=State.ENDED, end_shown=True), **ended("3")}, Step.NOTHING),
        (
            {"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE), **ended("3"), "run": ended("2")["run"]},
            Step.NOTHING,
        ),
        ({"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE)}, Step.NOTHING),
        ({"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE), "left": -1.0}, Step.DELETE_OLD),
        ({"row": row(state=State.ENDED, end_shown=True, hold=Hold.NONE), "left": 1.0}, Step.NOTHING),
        ({"row": row(state=State.ENDED, hold=Hold.NONE), "left": -1.0}, Step.FINISH),
        *(
            ({"row": row(state=one), "origin": origin(annotations={"medea.dev/placement": "p9"})}, Step.RESTORE_MARK)
            for one in (State.QUEUED, State.RESERVED, State.RUNNING, State.ENDED)
        ),
        ({"row": row(state=State.DELETING)}, Step.REMOVE),
        ({"row": row(state=State.DELETING), "origin": None, "origin_gone": True}, Step.REMOVE),
        ({"row": row(state=State.DELETED), "run": None}, Step.REMOVE_FINALIZER),
        ({"row": row(state=State.DELETED), "origin": origin(finalizers=[]), "run": None}, Step.NOTHING),
    ],
)
def test_each_state_has_its_next_step(known: dict[str, Any], step: Step) -> None:
    assert plan(facts(**known)) is step


STOP, SUSPEND, RETRY = Verb("ann", shutdown="Stop"), Verb("ann", suspend=True), Verb("ann", retry=Retry("then"))


def steered(*verbs: Verb, **metadata: Any) -> dict[str, Any]:
    return origin(annotations={"medea.dev/verbs": written(verbs)}, **metadata)


@pytest.mark.parametrize(
    ("known", "step"),
    [
        ({"origin": steered(SUSPEND)}, Step.APPLY_VERBS),
        ({"origin": steered(STOP), "row": row(state=State.QUEUED, cluster=None), "run": None}, Step.APPLY_VERBS),
        ({"origin": steered(STOP), "row": row(state=State.RESERVED, run_name=None), "run": None}, Step.APPLY_VERBS),
        # It may exist, though nobody has seen it: only its target knows.
        ({"origin": steered(STOP), "row": row(state=State.RESERVED), "run": None}, Step.CREATE),
        ({"origin": steered(SUSPEND), "row": row(state=State.RESERVED, run_name=None), "run": None}, Step.CREATE),
        ({"origin": steered(STOP), "run": run("Succeeded")}, Step.RECORD_END),
        ({"origin": steered(RETRY), "run": run("Failed")}, Step.APPLY_VERBS),
        ({"origin": steered(RETRY), "row": row(state=State.ENDED, phase="Failed", end_shown=True)}, Step.APPLY_VERBS),
        ({"origin": steered(STOP, deletionTimestamp=DELETED_AT)}, Step.MARK_DELETING),
    ],
)
def test_verbs_come_after_deletion_and_after_an_end_that_nobody_undoes(known: dict[str, Any], step: Step) -> None:
    assert plan(facts(**known)) is step


@pytest.mark.parametrize("state", [State.QUEUED, State.RESERVED, State.RUNNING, State.ENDED])
def test_a_tombstone_wins_in_every_state(state: State) -> None:
    assert plan(facts(row=row(state=state), origin=origin(deletionTimestamp=DELETED_AT))) is Step.MARK_DELETING
    assert plan(facts(row=row(state=state), origin=None, origin_gone=True)) is Step.MARK_DELETING


@pytest.mark.parametrize("state", [State.QUEUED, State.RESERVED, State.RUNNING, State.ENDED])
def test_an_origin_that_is_merely_not_seen_is_not_taken_for_deleted(state: State) -> None:
    assert plan(facts(row=row(state=state), origin=None)) is Step.NOTHING


def test_an_unknown_placement_is_let_go_only_when_its_origin_is_deleted() -> None:
    assert plan(facts(row=None, run=None)) is Step.NOTHING
    assert plan(facts(row=None, run=None, origin=origin(deletionTimestamp=DELETED_AT))) is Step.REMOVE_FINALIZER


def test_a_copy_that_is_deleted_does_not_wait_for_a_run_it_never_had() -> None:
    copies = [origin(uid="o2", deletionTimestamp=DELETED_AT), origin(uid="o3")]
    known = facts(copies=copies)
    assert deleted_copies(known) == copies[:1]
    assert plan(known) is Step.MIRROR


BRIEFLY, LONG = Away("target west is away", AWAY_GRACE - 1), Away("target west is away", AWAY_GRACE)


@pytest.mark.parametrize(
    ("known", "briefly", "long"),
    [
        # No create was tried: it goes elsewhere. One that was tried may have happened.
        ({"row": row(state=State.RESERVED, run_name=None), "run": None}, Step.WAIT_FOR_TARGET, Step.REQUEUE),
        ({"row": row(state=State.RESERVED), "run": None}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({}, Step.MIRROR, Step.WAIT_FOR_TARGET),
        ({"run": None}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({"run": run("Succeeded")}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({"origin": steered(SUSPEND)}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({"origin": steered(RETRY), "row": row(state=State.ENDED)}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({"origin": steered(STOP), "row": row(state=State.ENDED)}, Step.APPLY_VERBS, Step.APPLY_VERBS),
        ({"row": row(state=State.ENDED, phase="Failed")}, Step.FINISH, Step.FINISH),
        ({"row": row(state=State.DELETING)}, Step.WAIT_FOR_TARGET, Step.WAIT_FOR_TARGET),
        ({"row": row(state=State.DELETING, run_name=None)}, Step.REMOVE, Step.REMOVE),
        ({"row": row(state=State.QUEUED, cluster=None)}, Step.SHOW_QUEUED, Step.SHOW_QUEUED),
    ],
)
def test_nothing_ends_because_a_target_is_away_and_what_needs_no_target_goes_on(
    known: dict[str, Any], briefly: Step, long: Step
) -> None:
    assert plan(facts(**known, away=BRIEFLY)) is briefly
    assert plan(facts(**known, away=LONG)) is long


@pytest.mark.parametrize(
    ("known", "rests"),
    [
        ({}, True),
        ({"row": row(state=State.ENDED, end_shown=True), "run": None}, True),
        ({"run": None}, False),
        ({"origin": None}, False),
        ({"origin": origin(annotations={"medea.dev/placement": "p9"})}, False),
        ({"away": LONG}, False),
        ({"row": row(state=State.ENDED)}, False),
        ({"row": row(state=State.QUEUED, cluster=None), "run": None}, True),
        *(({"row": row(state=one)}, False) for one in (State.RESERVED, State.DELETING)),
    ],
)
def test_only_what_was_seen_whole_needs_no_look_until_it_changes(known: dict[str, Any], rests: bool) -> None:
    assert is_at_rest(facts(**known)) is rests
