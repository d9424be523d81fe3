"""What nobody needs any more goes from the ledger, in steps that each take little."""

from typing import Any

import pytest

from tests.ledger.test_fencing import ended, running
from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.ledger.retention import retire
from webhook.model.limits.ledger import DECISIONS_KEPT, RETIRE_BATCH
from webhook.model.run import Original

TEMPLATE: dict[str, Any] = {"kind": "WorkflowTemplate", "metadata": {"name": "t"}, "spec": {"templates": [{"a": 1}]}}


def gone(pool: Pool, placement: str, days: float) -> None:
    """A placement whose origin was deleted so long ago."""
    bound(pool, PLACED, placement)
    placements.deleting(pool, placement)
    placements.deleted(pool, placement)
    set_age(pool, placement, days)


def set_age(pool: Pool, placement: str, days: float) -> None:
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE workflows SET deleted_at = deleted_at - make_interval(secs => %(age)s), "
            "released_at = released_at - make_interval(secs => %(age)s), "
            "created_at = created_at - make_interval(secs => %(age)s) WHERE placement = %(placement)s",
            {"age": days * 86400, "placement": placement},
        )


def count(pool: Pool, table: str) -> int:
    with pool.transaction() as connection:
        row = connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone()
    assert row is not None
    return int(row["n"])


def submitted(pool: Pool, placement: str, templates: list[dict[str, Any]]) -> None:
    """A placement of a Workflow with these templates, bound to its origin."""
    original: Original = {"workflow": {"metadata": {"name": "job"}, "spec": {}}, "templates": templates}
    reserving.admit(pool, new(placement, original=original), lambda _: PLACED)
    placements.bind(pool, placement, namespace="ns", name="job", uid=f"uid-{placement}")


def run_exists(pool: Pool, placement: str) -> None:
    placements.intend_run(pool, placement, "job", cluster="west")
    assert placements.dispatched(pool, placement, cluster="west", run_name="job", run_uid=f"r-{placement}")


def test_what_is_gone_for_long_enough_goes_with_its_decisions(pool: Pool) -> None:
    gone(pool, "old", 31)
    gone(pool, "young", 29)
    assert retire(pool, days=30, limit=10) == 1
    assert placements.get(pool, "old") is None
    assert placements.decisions(pool, "old") == []
    assert placements.get(pool, "young") is not None
    assert len(placements.decisions(pool, "young")) == 1


def test_what_never_had_an_origin_goes_too(pool: Pool) -> None:
    reserving.admit(pool, new(), lambda _: PLACED)
    placements.expired(pool, "p1")
    set_age(pool, "p1", 31)
    retire(pool, days=30, limit=10)
    assert placements.get(pool, "p1") is None


@pytest.mark.parametrize("shown", [False, True])
def test_what_still_has_an_origin_stays_however_old_it_is(pool: Pool, shown: bool) -> None:
    ended(pool)
    if shown:
        placements.end_shown(pool, "p1", run_uid="r1")
    bound(pool, QUEUED, "p2")
    for placement in ("p1", "p2"):
        set_age(pool, placement, 1000)
    retire(pool, days=30, limit=10)
    assert [row.placement for row in placements.sweepable(pool, 0, 9)] == ["p1", "p2"]


def test_no_step_takes_more_than_its_share_and_the_steps_come_to_an_end(pool: Pool) -> None:
    for number in range(5):
        gone(pool, f"p{number}", 40 - number)
    assert retire(pool, days=30, limit=2) == 2
    # The oldest first.
    assert placements.get(pool, "p1") is None and placements.get(pool, "p2") is not None
    assert [retire(pool, days=30, limit=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(("limit", "left"), [(4, 1), (5, 0), (9, 0)])
def test_no_transaction_takes_more_than_a_few_rows(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, limit: int, left: int
) -> None:
    monkeypatch.setattr("webhook.ledger.retention.RETIRE_BATCH", 2)
    for number in range(5):
        gone(pool, f"p{number}", 31)
    assert retire(pool, days=30, limit=limit) == 5 - left
    assert count(pool, "workflows") == left


def test_rows_as_large_as_they_get_are_dealt_with_in_time(pool: Pool) -> None:
    with pool.transaction() as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE large ON COMMIT DROP AS SELECT string_agg(md5(n::text), '') AS text "
            "FROM generate_series(1, 30000) AS n"
        )
        connection.execute(
            "INSERT INTO workflows (placement, state, namespace, cpu_milli, memory_bytes, policy, identity, original) "
            "SELECT 'p' || n, 'running', 'ns', 1, 1, 'random', 'ann', jsonb_build_object('workflow', '{}'::jsonb, "
            "'templates', jsonb_build_array(jsonb_build_object('text', n || text))) "
            "FROM large, generate_series(1, %s) AS n",
            (RETIRE_BATCH,),
        )
    # Postgres would end a statement that took longer than any may.
    assert retire(pool, days=30, limit=1000) == RETIRE_BATCH
    assert count(pool, "templates") == RETIRE_BATCH


def test_two_that_retire_at_once_do_not_get_in_each_others_way(pool: Pool) -> None:
    gone(pool, "p1", 31)
    with pool.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(2, 0)")
        assert retire(pool, days=30, limit=10) == 0
    assert retire(pool, days=30, limit=10) == 1


def test_of_many_decisions_the_first_and_the_last_stay(pool: Pool) -> None:
    bound(pool, QUEUED)
    bound(pool, QUEUED, "p2")
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO decisions (placement, outcome, detail) "
            "SELECT 'p1', 'queued', jsonb_build_object('number', n) FROM generate_series(1, 100) n"
        )
    assert retire(pool, days=30, limit=50) == 50
    assert retire(pool, days=30, limit=50) == 100 - 50 - DECISIONS_KEPT
    first, *last = placements.decisions(pool, "p1")
    assert first["outcome"] == "queued"
    assert [one["number"] for one in last] == list(range(101 - DECISIONS_KEPT, 101))
    assert len(placements.decisions(pool, "p2")) == 1


def test_templates_of_runs_are_kept_once_and_read_as_before(pool: Pool) -> None:
    other = {**TEMPLATE, "metadata": {"name": "u"}}
    for number in range(3):
        submitted(pool, f"p{number}", [other, TEMPLATE])
        run_exists(pool, f"p{number}")
    before = placements.original(pool, "p1")
    assert retire(pool, days=30, limit=2) == 2
    assert retire(pool, days=30, limit=2) == 1
    assert count(pool, "templates") == 2
    assert count(pool, "workflows WHERE original ? 'templates'") == 0
    assert placements.original(pool, "p1") == before
    assert before is not None and before["templates"] == [other, TEMPLATE]


def test_what_may_still_become_a_run_keeps_its_templates_where_the_version_before_looks(pool: Pool) -> None:
    submitted(pool, "p1", [TEMPLATE])
    assert retire(pool, days=30, limit=10) == 0
    with pool.transaction() as connection:
        row = connection.execute("SELECT original FROM workflows").fetchone()
    assert row is not None and row["original"]["templates"] == [TEMPLATE]


def test_a_template_goes_with_the_last_row_that_refers_to_it(pool: Pool) -> None:
    for placement in ("p1", "p2"):
        submitted(pool, placement, [TEMPLATE])
        run_exists(pool, placement)
    retire(pool, days=30, limit=10)
    for placement, left in (("p1", 1), ("p2", 0)):
        placements.deleting(pool, placement)
        placements.deleted(pool, placement)
        set_age(pool, placement, 31)
        assert retire(pool, days=30, limit=10) == 1
        assert count(pool, "templates") == left


@pytest.mark.parametrize("original", ['{"workflow": {}}', '{"templates": "none", "workflow": {}}'])
def test_an_original_without_templates_is_no_obstacle(pool: Pool, original: str) -> None:
    running(pool)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET original = %s", (original,))
    assert retire(pool, days=30, limit=10) == 1
    assert placements.original(pool, "p1") == {"workflow": {}, "templates": []}
    assert retire(pool, days=30, limit=10) == 0


def test_what_clusters_note_for_themselves_is_not_kept(pool: Pool) -> None:
    notes: dict[str, Any] = {
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "1"},
    }
    workflow = {"metadata": {"name": "job", **notes}, "spec": {"a": 1}}
    original: Original = {"workflow": workflow, "templates": [{"metadata": {"name": "t", **notes}, "spec": {}}]}
    reserving.admit(pool, new(original=original), lambda _: PLACED)
    assert placements.original(pool, "p1") == {
        "workflow": {"metadata": {"name": "job", "annotations": {"mine": "1"}}, "spec": {"a": 1}},
        "templates": [{"metadata": {"name": "t", "annotations": {"mine": "1"}}, "spec": {}}],
    }
    assert workflow["metadata"]["managedFields"] == notes["managedFields"]
