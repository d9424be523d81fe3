"""What the ledger promises about one placement."""

from dataclasses import replace

import pytest
from psycopg.types.json import Jsonb

from webhook.errors import LedgerUnavailable
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.migrate import migrate
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold, State
from webhook.model.run import Original
from webhook.model.submitter import Submitter
from webhook.scout.model import Decision, Outcome, Promised
from webhook.totals.model import Totals

PLACED = Decision(Outcome.PLACED, "west: free", "random", 1.0, "west")
QUEUED = Decision(Outcome.QUEUED, "west: full", "random", 1.0)
REFUSED = Decision(Outcome.REFUSED, "too large", "random", 1.0)


ORIGINAL: Original = {"workflow": {"spec": {"a": 1}}, "templates": []}


def new(
    placement: str = "p1", name: str | None = None, hold: Hold = Hold.PLUGIN, original: Original = ORIGINAL
) -> NewPlacement:
    return NewPlacement(
        placement=placement,
        namespace="ns",
        name=name,
        generate_name="job-",
        template=None,
        totals=Totals(1000, 1 << 30),
        policy="random",
        only_clusters=("west",),
        identity="ann",
        original=original,
        hold=hold,
    )


def bound(pool: Pool, decision: Decision = PLACED, placement: str = "p1") -> Placement:
    reserving.admit(pool, new(placement), lambda _: decision)
    found = placements.bind(pool, placement, namespace="ns", name=f"job-{placement}", uid=f"uid-{placement}")
    assert found is not None
    return found


def test_a_placement_goes_from_reserved_to_deleted_and_every_step_may_be_repeated(pool: Pool) -> None:
    assert bound(pool).state is State.RESERVED
    assert placements.intend_run(pool, "p1", "job-p1", cluster="west") is not None
    for _ in range(2):
        running = placements.dispatched(pool, "p1", cluster="west", run_name="job-p1", run_uid="r1")
        assert running is not None and running.state is State.RUNNING
    ended = placements.ended(pool, "p1", run_uid="r1", phase="Succeeded", message=None, outcome={"phase": "Succeeded"})
    assert ended is not None and ended.released_at is not None
    assert placements.ended(pool, "p1", run_uid="r1", phase="Failed", message="late", outcome={}) is None
    assert placements.outcome(pool, "p1") == {"phase": "Succeeded"}
    assert placements.end_shown(pool, "p1", run_uid="r1") is not None
    assert placements.deleting(pool, "p1") is not None
    gone = placements.deleted(pool, "p1")
    assert gone is not None and gone.state is State.DELETED
    assert placements.deleting(pool, "p1") is None
    assert placements.sweepable(pool, 0, 9) == []


@pytest.mark.parametrize("letter", ["\x00", "\ud800"])
def test_an_end_with_text_that_postgres_cannot_hold_is_kept_without_it(pool: Pool, letter: str) -> None:
    bound(pool)
    outcome = {"outputs": {"result": f"a{letter}b"}, "nodes": {f"n{letter}": {"inputs": [letter, 1, None, True]}}}
    ended = placements.ended(pool, "p1", run_uid=None, phase="Failed", message=f"exit{letter}1", outcome=outcome)
    assert ended is not None and ended.message == "exit\ufffd1"
    kept = {"outputs": {"result": "a\ufffdb"}, "nodes": {"n\ufffd": {"inputs": ["\ufffd", 1, None, True]}}}
    assert placements.outcome(pool, "p1") == kept


def test_a_refusal_of_a_target_in_words_that_postgres_cannot_hold_is_kept_without_them(pool: Pool) -> None:
    bound(pool)
    queued = placements.refused_by_target(pool, "p1", "no\x00room", cluster="west")
    assert queued is not None and dict(queued.refused_by) == {"west": "no\ufffdroom"}


def test_only_one_origin_can_claim_a_placement(pool: Pool) -> None:
    bound(pool)
    assert placements.bind(pool, "p1", namespace="ns", name="job-p1", uid="another") is None
    assert placements.bind(pool, "p1", namespace="other", name="job-p1", uid="uid-p1") is None


def test_a_placement_that_expired_is_queued_anew_when_its_origin_turns_up_after_all(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    assert placements.expired(pool, "p1") is not None
    late = placements.bind(pool, "p1", namespace="ns", name="job-p1", uid="u")
    assert late is not None
    assert (late.state, late.cluster, late.released_at) == (State.QUEUED, None, None)


def test_a_bound_placement_never_expires(pool: Pool) -> None:
    bound(pool)
    assert placements.expired(pool, "p1") is None
    assert placements.unbound(pool, 0) == []


def test_a_deleted_placement_is_not_dispatched(pool: Pool) -> None:
    bound(pool)
    placements.deleting(pool, "p1")
    assert placements.intend_run(pool, "p1", "job-p1", cluster="west") is None
    assert placements.dispatched(pool, "p1", cluster="west", run_name="job-p1", run_uid="r1") is None


def test_a_target_that_refused_is_remembered_and_the_placement_waits_again(pool: Pool) -> None:
    bound(pool)
    back = placements.refused_by_target(pool, "p1", "no such namespace", cluster="west")
    assert back is not None
    assert (back.state, back.cluster, back.refused_by) == (State.QUEUED, None, {"west": "no such namespace"})


def test_a_refused_workflow_leaves_no_row(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: REFUSED)
    assert placements.get(pool, "p1") is None


def test_the_original_is_kept_as_it_was_sent(pool: Pool) -> None:
    bound(pool)
    kept: Original = {"workflow": {"spec": {"a": 1}}, "templates": []}
    assert placements.original(pool, "p1") == kept


def test_every_decision_is_kept(pool: Pool) -> None:
    bound(pool, QUEUED)
    queueing.serve(pool, "ns", lambda *_: queueing.Choices({"p1": PLACED}, {}))
    assert [one["outcome"] for one in placements.decisions(pool, "p1")] == ["queued", "placed"]


def test_a_name_is_the_newest_workflows(pool: Pool) -> None:
    for placement in ("p1", "p2"):
        reserving.admit(pool, new(placement), lambda _: PLACED)
        placements.bind(pool, placement, namespace="ns", name="same", uid=placement)
    found = placements.by_origin(pool, "ns", "same")
    assert found is not None and found.placement == "p2"


def test_a_create_that_came_second_does_not_take_the_name(pool: Pool) -> None:
    for placement in ("p1", "p2"):
        reserving.admit(pool, new(placement, name="same"), lambda _: PLACED)
    placements.bind(pool, "p1", namespace="ns", name="same", uid="o1")
    found = placements.by_origin(pool, "ns", "same")
    assert found is not None and found.placement == "p1"


def test_migrating_twice_changes_nothing(pool: Pool, dsn: str) -> None:
    bound(pool)
    migrate(dsn)
    assert placements.get(pool, "p1") is not None


def test_a_ledger_that_is_away_is_said_to_be_away() -> None:
    pool = Pool("host=127.0.0.1 port=1 connect_timeout=1", size=2)
    with pytest.raises(LedgerUnavailable):
        placements.get(pool, "p1")


def test_the_hold_chosen_with_a_placement_stays_with_it(pool: Pool) -> None:
    assert bound(pool).hold is Hold.PLUGIN
    reserving.admit(pool, replace(new("p2"), hold=Hold.NONE), lambda _: PLACED)
    found = placements.get(pool, "p2")
    assert found is not None and found.hold is Hold.NONE


def test_a_retry_reopens_what_has_ended_and_holds_its_room_again(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job-p1", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job-p1", run_uid="r1")
    assert placements.reopened(pool, "p1") is None
    placements.ended(pool, "p1", run_uid="r1", phase="Failed", message="no", outcome={})
    placements.end_shown(pool, "p1", run_uid="r1")
    again = placements.reopened(pool, "p1")
    assert again is not None and (again.state, again.phase, again.end_shown) == (State.RUNNING, None, False)
    assert again.released_at is None and again.run_uid == "r1"
    reserved, _ = queueing.glance(pool, "ns")
    assert reserved == {"west": Promised(again.totals)}


def test_what_has_no_run_yet_can_be_stopped_and_what_may_have_one_can_not(pool: Pool) -> None:
    bound(pool, QUEUED, "p1")
    stopped = placements.stopped(pool, "p1", "Stopped with strategy 'Stop'")
    assert stopped is not None and (stopped.state, stopped.phase) == (State.ENDED, "Failed")
    assert placements.reopened(pool, "p1") is None
    bound(pool, PLACED, "p2")
    placements.intend_run(pool, "p2", "job-p2", cluster="west")
    assert placements.stopped(pool, "p2", "…") is None


def test_who_has_submitted_is_kept_with_the_placement(pool: Pool) -> None:
    ann = Submitter("ann", ("team-a", "system:authenticated"))
    reserving.admit(pool, replace(new(), submitter=ann), lambda _: PLACED)
    row = placements.get(pool, "p1")
    assert row is not None and row.submitter == ann


@pytest.mark.parametrize("kept", [None, [], {}, {"user": 1}, {"groups": ["a"]}, "ann"])
def test_a_submitter_that_is_not_there_or_not_readable_is_none(pool: Pool, kept: object) -> None:
    reserving.admit(pool, replace(new(), submitter=Submitter("ann")), lambda _: PLACED)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET submitter = %s", (None if kept is None else Jsonb(kept),))
    row = placements.get(pool, "p1")
    assert row is not None and row.submitter is None


def test_the_namespaces_that_the_ledger_remembers_are_known(pool: Pool) -> None:
    assert placements.known_namespaces(pool) == []
    for number, namespace in enumerate(("b", "a", "b", "c")):
        reserving.admit(pool, replace(new(f"p{number}"), namespace=namespace), lambda _: PLACED)
    assert placements.known_namespaces(pool) == ["a", "b", "c"]
