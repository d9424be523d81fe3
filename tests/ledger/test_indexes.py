"""No question that is asked again and again reads a whole table, however many Workflows have come and gone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.conftest import wait_long_for_the_ledger
from tests.ledger.test_placements import PLACED, QUEUED, new
from webhook.ledger import (
    class_jobs,
    class_leases,
    file_jobs,
    line,
    placements,
    power_jobs,
    queueing,
    rebuilding,
    reserving,
    splits,
)
from webhook.ledger.by_cluster import placements_on, shares
from webhook.ledger.connection import Connection
from webhook.ledger.pool import Pool
from webhook.ledger.retention import retire
from webhook.model.limits.ledger import DECISIONS_LOOKED_AT
from webhook.scout.limits import Limit
from webhook.scout.model import Decision, Quotas
from webhook.totals.model import Totals
from webhook.totals.shared_names import Shared

ROWS = 20_000
Row = dict[str, Any]


@pytest.fixture(scope="module")
def _patient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        wait_long_for_the_ledger(patch)
        yield


@pytest.fixture(scope="module")
def full(dsn: str, _patient: None) -> Iterator[Pool]:
    """A ledger in which one placement in a hundred is alive."""
    pool = Pool(dsn, size=4)
    pool.start()
    assert pool.wait(60)
    # Not through the pool: so many rows at once take longer than any statement of Medea's may.
    with psycopg.connect(dsn) as connection:
        connection.execute("TRUNCATE workflows, templates, clusters, caches, power_jobs, class_jobs, file_jobs CASCADE")
        connection.execute(
            """
            INSERT INTO workflows (placement, state, name, namespace, cluster, origin_uid, run_name, run_uid, cpu_milli,
                                   memory_bytes, policy, identity, original, bound_at, released_at, deleted_at, folded,
                                   demands, demands_key, shared_names)
            SELECT 'p' || n, CASE n %% 500 WHEN 0 THEN 'queued' WHEN 1 THEN 'running' WHEN 2 THEN 'ended'
                   WHEN 3 THEN 'reserved' WHEN 4 THEN 'deleting' ELSE 'deleted' END,
                   'job-' || n, 'ns-' || n %% 50, 'west', 'o' || n, 'job-' || n, 'r' || n, 1, 1, 'random', 'ann', '{}',
                   now(), CASE WHEN n %% 500 > 4 THEN now() END, CASE WHEN n %% 500 > 4 THEN now() END, n %% 500 > 1,
                   '{}', 'k' || n %% 7, ARRAY['mutex/ns/' || n %% 1000, 'cache//' || n]
            FROM generate_series(1, %s) AS n
            """,
            (ROWS,),
        )
        connection.execute(
            "INSERT INTO decisions (placement, outcome, detail) SELECT 'p' || n, 'placed', '{}' "
            "FROM generate_series(1, %s) AS n, generate_series(1, 3)",
            (ROWS,),
        )
        connection.execute(
            "INSERT INTO splits (placement, namespace, items) SELECT 'p' || n, 'ns-' || n %% 50, 9 "
            "FROM generate_series(1, %s) AS n",
            (ROWS,),
        )
        connection.execute(
            "INSERT INTO split_chunks (placement, number, spans, name, uid) "
            "SELECT 'p' || n, c, '[[0, 3]]', 'job-' || n || '-' || c, 'u' || n || c "
            "FROM generate_series(1, %s) AS n, generate_series(1, 3) AS c",
            (ROWS,),
        )
        connection.execute(
            "INSERT INTO power_jobs (namespace, name, power, unit, template, split, owner, workflow, created_at) "
            "SELECT 'ns-' || n %% 50, 'mine-' || n, 9, 1, 't', 'auto', 'ann', 'job-' || n, now() - n * interval '1 s' "
            "FROM generate_series(1, %s) AS n",
            (ROWS,),
        )
        connection.execute(
            """
            INSERT INTO class_jobs (id, namespace, submitter, class, run_by, rows, runtime, priority,
                                    latency_sensitive, data, cost, state, workflow_uid, publish_at, published_at,
                                    lease_until, ended_at)
            SELECT gen_random_uuid(), 'ns', 'ann', 'c' || n %% 4, 'workers', 1, 1, 'low', true, '{}', 1,
                   CASE n %% 500 WHEN 0 THEN 'queued' WHEN 1 THEN 'running' WHEN 2 THEN 'submitted'
                   WHEN 3 THEN 'cleaned' ELSE 'done' END, 'o' || n, CASE n %% 1000 WHEN 0 THEN now() END, now(),
                   CASE n %% 500 WHEN 1 THEN now() END, CASE WHEN n %% 500 > 2 THEN now() END
            FROM generate_series(1, %s) AS n
            """,
            (ROWS,),
        )
        connection.execute(
            """
            INSERT INTO file_jobs (namespace, uploader, folder, user_id, service, state, workflow_uid, submitted_at,
                                   ended_at)
            SELECT 'ns', 'ann', 'files/' || n, 'u' || n %% 7, 's' || n %% 3,
                   CASE n %% 500 WHEN 0 THEN 'queued' WHEN 1 THEN 'submitted' WHEN 2 THEN 'cleaned'
                   WHEN 3 THEN 'receiving' ELSE 'done' END, 'o' || n, now(), CASE WHEN n %% 500 > 3 THEN now() END
            FROM generate_series(1, %s) AS n
            """,
            (ROWS,),
        )
        connection.execute("INSERT INTO caches SELECT 'cache//' || n, 'west' FROM generate_series(1, %s) AS n", (ROWS,))
        connection.execute("INSERT INTO templates SELECT 'h' || n, '{}' FROM generate_series(1, 2000) AS n")
        connection.execute(
            "INSERT INTO workflow_templates SELECT 'p' || n, 1, 'h' || n % 2000 + 1 FROM generate_series(1, 20000) AS n"
        )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE workflows, decisions, templates, workflow_templates, caches")
        connection.execute("VACUUM ANALYZE splits, split_chunks, power_jobs, class_jobs, file_jobs")
    yield pool
    with pool.transaction() as connection:
        connection.execute("TRUNCATE workflows, templates, clusters, caches, power_jobs, class_jobs, file_jobs CASCADE")
    pool.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Every statement that is sent, with its values."""
    statements: list[tuple[Any, Any]] = []
    execute = Connection.execute

    def noted(self: Connection, query: Any, params: Any = None, **options: Any) -> Any:
        if query:  # the pool tries a connection with nothing
            statements.append((query, params))
        return execute(self, query, params, **options)

    monkeypatch.setattr(Connection, "execute", noted)
    return statements


def nodes_of(plan: Row) -> Iterator[Row]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes_of(inner)


_WEST = {"west": Quotas(Totals(1, 1), (Limit("q", "pods", 1, 0),))}


def _nothing(*_: object) -> queueing.Choices:
    return queueing.Choices({}, {})


def _claims(held: reserving.Held) -> Decision:
    held.claimed(_WEST)
    return PLACED


QUESTIONS: dict[str, Callable[[Pool], object]] = {
    "class jobs submitted": lambda pool: class_jobs.submitted(pool, "ns", after=0, limit=10),
    "class jobs in all": lambda pool: class_jobs.depths(pool, "ns"),
    "class jobs by place": lambda pool: class_jobs.places(pool, "ns"),
    "class jobs by holder": lambda pool: class_jobs.holders(pool, "ns"),
    "class jobs held up": lambda pool: class_jobs.held_up(pool, "ns", patience=60),
    "class jobs that are old": lambda pool: class_jobs.retire(pool, keep=3600),
    "class jobs to remove": lambda pool: class_jobs.cleaned(pool, after=0, limit=10),
    "class jobs due": lambda pool: class_leases.due(pool, "ns", again=60, limit=10),
    "class jobs missed": lambda pool: class_leases.missed(pool, "ns", "c0", empty=True, after=60),
    "class jobs overtaken": lambda pool: class_leases.missed(pool, "ns", "c1", empty=False, after=60),
    "a class job to hold": lambda pool: class_leases.claim(
        pool, "11111111-1111-1111-1111-111111111111", name="c0", holder="a", lease=60, deliveries=1
    ),
    "file jobs submitted": lambda pool: file_jobs.submitted(pool, "ns", after=None, limit=10),
    "file jobs to remove": lambda pool: file_jobs.cleaned(pool, after=0, limit=10),
    "get": lambda pool: placements.get(pool, "p7"),
    "by_origin": lambda pool: placements.by_origin(pool, "ns-7", "job-7"),
    "original": lambda pool: placements.original(pool, "p7"),
    "outcome": lambda pool: placements.outcome(pool, "p7"),
    "decisions": lambda pool: placements.decisions(pool, "p7"),
    "sweepable": lambda pool: placements.sweepable(pool, ROWS // 2, 50),
    "sweepable from the first": lambda pool: placements.sweepable(pool, 0, 50),
    "unbound": lambda pool: placements.unbound(pool, 90),
    "queued_namespaces": placements.queued_namespaces,
    "bind": lambda pool: placements.bind(pool, "p7", namespace="ns-7", name="job-7", uid="o7"),
    "intend_run": lambda pool: placements.intend_run(pool, "p7", "job-7", cluster="west"),
    "dispatched": lambda pool: placements.dispatched(pool, "p7", cluster="west", run_name="job-7", run_uid="r7"),
    "refused_by_target": lambda pool: placements.refused_by_target(pool, "p7", "no", cluster="west"),
    "no_room_on_target": lambda pool: placements.no_room_on_target(pool, "p7", cluster="west", words="no"),
    "requeued": lambda pool: placements.requeued(pool, "p7", reason="away"),
    "ended": lambda pool: placements.ended(pool, "p7", run_uid="r7", phase="Error", message=None, outcome={}),
    "lost": lambda pool: placements.lost(pool, "p7", "Lost", cluster="west"),
    "stopped": lambda pool: placements.stopped(pool, "p7", "stop"),
    "reopened": lambda pool: placements.reopened(pool, "p7"),
    "locked_elsewhere": lambda pool: placements.locked_elsewhere(pool, "p7"),
    "end_shown": lambda pool: placements.end_shown(pool, "p7", run_uid="r7"),
    "run_let_go": lambda pool: placements.run_let_go(pool, "p7", run_uid="r7"),
    "deleting": lambda pool: placements.deleting(pool, "p7"),
    "deleted": lambda pool: placements.deleted(pool, "p7"),
    "expired": lambda pool: placements.expired(pool, "p7"),
    "shares": lambda pool: shares(pool, "west"),
    "placements_on": lambda pool: placements_on(pool, "west", 7, 50),
    "glance": lambda pool: queueing.glance(pool, "ns-7"),
    "glance with demands": lambda pool: queueing.glance(pool, "ns-7", with_demands=True),
    "serve": lambda pool: queueing.serve(pool, "ns-7", _nothing),
    "serve those who wait for one target": lambda pool: queueing.serve(pool, "ns-7", _nothing, waiting_for=_WEST),
    "tell_the_rest": lambda pool: line.tell_the_rest(pool, "ns-7", 20),
    "runs_seen": lambda pool: reserving.runs_seen(pool, "ns-7", 60.0, now=0.0),
    "admit": lambda pool: reserving.admit(
        pool, replace(new("new", name="job-7"), namespace="ns-7", shared=Shared(("mutex/ns/7", "cache//7"))), _claims
    ),
    "admit behind others": lambda pool: reserving.admit(pool, replace(new("late"), namespace="ns-7"), lambda _: QUEUED),
    "split": lambda pool: splits.get(pool, "p7"),
    "chunks": lambda pool: splits.chunks(pool, "p7"),
    "results": lambda pool: splits.results(pool, "p7"),
    "cut": lambda pool: splits.cut(pool, "p7", [3], at=0, origin="job-7"),
    "chunk is moved": lambda pool: splits.is_moved(pool, "p7-0", "c7"),
    "chunk exists": lambda pool: splits.exists(pool, "p7", 0, "c7"),
    "follow": lambda pool: splits.follow(pool, "p7", 0, cluster="west", done=1, runs=True, suspended=True),
    "move": lambda pool: splits.move(pool, "p7", 0),
    "finish": lambda pool: splits.finish(pool, "p7", phase="Error", message="", outcome={}),
    "job": lambda pool: power_jobs.get(pool, 7),
    "jobs asked for": lambda pool: power_jobs.asked_for(pool, "ns-7", 20),
    "runs wanted": lambda pool: power_jobs.wanted(pool, "ns-7", 20),
    "waiting": lambda pool: power_jobs.waiting(pool, "ns-7"),
    "known": lambda pool: rebuilding.known(pool, ["p7", "p8"]),
    "retire": lambda pool: retire(pool, days=1, limit=20),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_answered_from_an_index(
    full: Pool, asked: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    # What is looked at last is a share of the table; here as much smaller as the table is.
    assert DECISIONS_LOOKED_AT < ROWS
    monkeypatch.setattr("webhook.ledger.retention.DECISIONS_LOOKED_AT", 50)
    QUESTIONS[question](full)
    statements = list(asked)
    assert statements
    for query, values in statements:
        with full.transaction() as connection:
            row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}", values).fetchone()
        assert row is not None
        whole = [node for node in nodes_of(row["QUERY PLAN"][0]["Plan"]) if node["Node Type"] == "Seq Scan"]
        assert whole == [], query
