"""Two versions of Medea on one ledger: while one is rolled out, and after it was taken back."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from structlog.testing import capture_logs

import webhook.ledger.migrations
import webhook.ledger.pool as pool_module
from tests.ledger.test_placements import QUEUED, bound
from webhook.controller.plan import Facts, Step, plan
from webhook.errors import LedgerUnavailable
from webhook.ledger import placements, queueing
from webhook.ledger.migrate import migrate, newest
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.queueing import Choices
from webhook.model.contract import State

# What the version before 0003 sends. A later version has a list of its own here, of the statements before its own
# first migration; this one goes when nobody goes back that far any more.
_INSERT = (
    "INSERT INTO workflows (placement, state, name, generate_name, namespace, template, cluster, reason, cpu_milli, "
    "memory_bytes, policy, only_clusters, identity, original, hold, placed_at) VALUES ('old', 'reserved', 'job', NULL, "
    "'ns', 't', 'west', 'west: free', 1, 1, 'random', NULL, 'ann', "
    """'{"workflow": {"spec": {}}, "templates": [{"spec": {}}]}', 'plugin', now())"""
)
_COLUMNS = (
    "placement, seq, state, name, generate_name, namespace, template, cluster, origin_uid, run_name, run_uid, phase, "
    "message, reason, cpu_milli, memory_bytes, policy, only_clusters, refused_by, identity, mirrored AS end_shown, "
    "hold, created_at, bound_at, placed_at, dispatched_at, ended_at, released_at, deleted_at"
)
_BEFORE_0003 = (
    _INSERT,
    "INSERT INTO decisions (placement, outcome, cluster, detail) VALUES ('old', 'placed', 'west', '{}')",
    "UPDATE workflows SET name = 'job', origin_uid = 'u', bound_at = coalesce(bound_at, now()) WHERE placement = 'old'",
    "UPDATE workflows SET run_name = 'job' WHERE placement = 'old' AND state = 'reserved'",
    "UPDATE workflows SET state = 'running', run_uid = 'r', dispatched_at = now() WHERE placement = 'old'",
    "UPDATE workflows SET state = 'ended', phase = 'Failed', outcome = '{}', ended_at = now(), released_at = now() "
    "WHERE placement = 'old'",
    "UPDATE workflows SET mirrored = true WHERE placement = 'old' AND state = 'ended'",
    f"SELECT {_COLUMNS} FROM workflows WHERE state NOT IN ('deleted', 'expired')",
    "SELECT original, outcome FROM workflows WHERE placement = 'old'",
    "SELECT detail FROM decisions WHERE placement = 'old' ORDER BY id",
    "UPDATE workflows SET state = 'deleting' WHERE placement = 'old' AND state NOT IN ('deleted', 'expired')",
    "UPDATE workflows SET state = 'deleted', deleted_at = now() WHERE placement = 'old' AND state = 'deleting'",
)


@pytest.fixture
def own_dsn(dsn: str) -> Iterator[str]:
    """A database of its own, whose schema a test may change."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS upgrades")
        connection.execute("CREATE DATABASE upgrades")
        yield make_conninfo(dsn, dbname="upgrades")
        connection.execute("DROP DATABASE upgrades WITH (FORCE)")


@pytest.fixture
def own_pool(own_dsn: str) -> Iterator[Pool]:
    migrate(own_dsn)
    pool = Pool(own_dsn, size=4)
    pool.start()
    assert pool.wait(60)
    yield pool
    pool.close()


def test_the_version_before_works_on_todays_schema(own_pool: Pool) -> None:
    with own_pool.transaction() as connection:
        for statement in _BEFORE_0003:
            connection.execute(statement)
    row = placements.get(own_pool, "old")
    assert row is not None and row.state is State.DELETED


def test_this_version_goes_on_on_the_schema_of_one_to_come(own_dsn: str) -> None:
    migrate(own_dsn)
    with psycopg.connect(own_dsn) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("ALTER TABLE workflows ADD COLUMN priority int NOT NULL DEFAULT 0")
        connection.execute("CREATE TABLE of_tomorrow (id int)")
    pool = Pool(own_dsn, size=4)
    with capture_logs() as logs:
        pool.start()
        assert pool.wait(60)
    assert [one["revisions"] for one in logs if "newer" in one["event"]] == [["9999"]]
    assert bound(pool).state is State.RESERVED
    pool.close()


def test_the_newest_migration_is_the_one_that_alembic_ends_with() -> None:
    folder = str(Path(webhook.ledger.migrations.__file__).parent)
    assert newest() == ScriptDirectory(folder).get_current_head()


_OPENS = """\
import sys
from webhook.ledger.pool import Pool
pool = Pool(sys.argv[1], size=2)
pool.start()
assert pool.wait(60)
print("alembic" in sys.modules)
"""


def test_only_a_process_that_has_something_to_migrate_takes_up_alembic(own_dsn: str) -> None:
    said = [subprocess.check_output([sys.executable, "-c", _OPENS, own_dsn], text=True) for _ in range(2)]
    assert said == ["True\n", "False\n"]


def test_a_migration_that_fails_for_a_reason_of_its_own_is_tried_again(
    own_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def fails_at_first(dsn: str) -> None:
        tries.append(dsn)
        if len(tries) == 1:
            raise KeyError("a bug")
        migrate(dsn)

    monkeypatch.setattr(pool_module, "migrate", fails_at_first)
    monkeypatch.setattr(pool_module, "LEDGER_BUG_RETRY", 0)
    pool = Pool(own_dsn, size=2)
    with capture_logs() as logs:
        pool.start()
        assert pool.wait(60)
    pool.close()
    assert len(tries) == 2
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["ledger can't be migrated"]


@pytest.mark.parametrize("change", ["state = 'moving'", "hold = 'of tomorrow'"])
def test_a_row_of_a_newer_version_is_left_alone_and_hides_no_other(pool: Pool, change: str) -> None:
    bound(pool, QUEUED, "p1")
    bound(pool, QUEUED, "p2")
    with pool.transaction() as connection:
        connection.execute(f"UPDATE workflows SET {change} WHERE placement = 'p1'")
    row = placements.get(pool, "p1")
    assert row is not None and row.state is State.UNKNOWN
    for carrier in ({"metadata": {"uid": "uid-p1", "deletionTimestamp": "now", "finalizers": ["medea.dev/run"]}}, None):
        assert plan(Facts(row, carrier, carrier is None, None, [("east", {})])) is Step.NOTHING
    assert [one.placement for one in placements.sweepable(pool, 0, 9)] == ["p1", "p2"]
    seen: list[str] = []

    def note(_: object, batch: Sequence[Placement], __: object) -> Choices:
        seen.extend(row.placement for row in batch)
        return Choices({}, {})

    queueing.serve(pool, "ns", note)
    assert seen == ["p2"]


def test_a_state_of_a_newer_version_is_not_written_over(pool: Pool) -> None:
    bound(pool)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET state = 'moving'")
    assert placements.deleting(pool, "p1") is None
    assert placements.lost(pool, "p1", "Lost", cluster="west") is None
    assert placements.stopped(pool, "p1", "stop") is None


@pytest.mark.parametrize("content", ["[]", '"packed"', "null", "3"])
def test_content_of_a_shape_that_this_version_does_not_know_reads_as_none(pool: Pool, content: str) -> None:
    bound(pool)
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET outcome = %(c)s, original = %(c)s", {"c": content})
        connection.execute("UPDATE decisions SET detail = %s", (content,))
    assert placements.outcome(pool, "p1") == {}
    assert placements.original(pool, "p1") is None
    assert placements.decisions(pool, "p1") == [{}]


def _at_revision_4(dsn: str) -> None:
    migrate(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP INDEX workflows_unfolded, workflows_reserved")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")


def _indexes(dsn: str) -> dict[str, bool]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'workflows'::regclass"
        ).fetchall()
    return dict(rows)


def test_while_an_index_is_built_work_goes_on_and_another_process_waits_its_turn(own_dsn: str) -> None:
    _at_revision_4(own_dsn)
    with psycopg.connect(own_dsn) as slow, psycopg.connect(own_dsn) as watching, ThreadPoolExecutor() as threads:
        slow.execute(_INSERT)
        building = threads.submit(migrate, own_dsn)
        watching.autocommit = True
        while not watching.execute("SELECT FROM pg_stat_progress_create_index").fetchall():
            assert not building.done()
        with pytest.raises(LedgerUnavailable, match="another process"):
            migrate(own_dsn)
        with psycopg.connect(own_dsn, options="-c statement_timeout=60s") as others:
            others.execute(_INSERT.replace("'old'", "'new'"))
            others.execute("UPDATE workflows SET run_name = 'job' WHERE placement = 'new'")
        slow.commit()
        building.result(60)
    assert _indexes(own_dsn)["workflows_reserved"]
    assert all(_indexes(own_dsn).values())


def test_an_index_whose_building_was_cut_short_is_built_again(own_dsn: str) -> None:
    _at_revision_4(own_dsn)
    with psycopg.connect(own_dsn) as connection:
        connection.execute("CREATE INDEX workflows_reserved ON workflows (namespace)")
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'workflows_reserved'::regclass")
    migrate(own_dsn)
    assert _indexes(own_dsn)["workflows_reserved"]
    with psycopg.connect(own_dsn) as connection:
        assert "INCLUDE" in str(connection.execute("SELECT pg_get_indexdef('workflows_reserved'::regclass)").fetchone())
