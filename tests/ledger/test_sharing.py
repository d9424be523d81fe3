"""Two that decide about one name at the same moment take turns, whatever their namespaces are."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from tests.ledger.test_placements import PLACED, QUEUED, bound, new
from webhook.ledger import placements, queueing, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.model.limits.admission import SHARED_MOST_NAMES
from webhook.model.limits.ledger import NAME_LOCKS
from webhook.scout.model import Decision, Promised
from webhook.scout.sharing import Uses
from webhook.totals.shared_names import Shared

NAMES = Shared(("mutex/ns/b", "mutex/ns/a", "cache//c"))


def test_who_names_a_lock_waits_for_whoever_is_deciding_about_it_in_another_namespace(pool: Pool) -> None:
    seen: dict[str, str | None] = {}

    def second(held: Held) -> Decision:
        seen.update({name: use.cluster for name, use in held.uses.items()})
        return PLACED

    with ThreadPoolExecutor() as threads:

        def first(_: Held) -> Decision:
            other = replace(new("p2"), namespace="other", shared=NAMES)
            later.append(threads.submit(reserving.admit, pool, other, second))
            with pool.transaction() as connection:
                waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 3 AND NOT granted"
                while not connection.execute(waiting).fetchall():
                    assert not later[0].done()
            return PLACED

        later: list[Future[Decision]] = []
        reserving.admit(pool, replace(new("p1"), shared=Shared(NAMES.names[::-1])), first)
    assert seen == dict.fromkeys(NAMES.names, "west")


def test_who_shares_nothing_waits_for_nobody_and_asks_nothing(pool: Pool) -> None:
    def meanwhile(_: Held) -> Decision:
        def alone(held: Held) -> Decision:
            assert held.uses == {}
            return PLACED

        return reserving.admit(pool, replace(new("p2"), namespace="other"), alone)

    reserving.admit(pool, replace(new("p1"), shared=NAMES), meanwhile)
    row = placements.get(pool, "p2")
    assert row is not None and row.shared == ()


def test_a_queue_with_thousands_of_names_takes_no_more_locks_than_postgres_has(pool: Pool) -> None:
    for number in range(20):
        names = tuple(f"mutex/ns/{number}-{name}" for name in range(SHARED_MOST_NAMES))
        reserving.admit(pool, replace(new(f"p{number}"), shared=Shared(names)), lambda _: QUEUED)
        placements.bind(pool, f"p{number}", namespace="ns", name=f"job-{number}", uid=f"p{number}")
    held: list[int] = []

    def choose(_: Mapping[str, Promised], batch: Sequence[Placement], __: Uses) -> queueing.Choices:
        assert len(batch) == 20
        with pool.transaction() as connection:
            count = "SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND classid = 3"
            held.extend(row["held"] for row in connection.execute(count))
        return queueing.Choices({}, {})

    queueing.serve(pool, "ns", choose)
    assert 0 < held[0] <= NAME_LOCKS


@pytest.mark.parametrize("names", [1, 20])
def test_ten_thousand_that_wait_for_names_of_their_own_are_glanced_at_before_postgres_gives_up(
    pool: Pool, dsn: str, names: int
) -> None:
    bound(pool, PLACED, "live")
    copied = "cpu_milli, memory_bytes, policy, identity, original, bound_at, namespace, hold"
    copy = (
        f"INSERT INTO workflows ({copied}, placement, name, origin_uid, state, cluster, shared_names) SELECT {copied}, "
        "%(of)s || n, %(of)s || n, %(of)s || n, %(state)s, %(cluster)s, (SELECT array_agg('mutex/ns/' || %(of)s || n "
        "|| '-' || name) FROM generate_series(1, %(names)s) AS name) "
        "FROM workflows, generate_series(1, %(count)s) AS n WHERE placement = 'live'"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        for of, state, cluster, count in (("l", "running", "west", 1000), ("q", "queued", None, 10_000)):
            values = {"of": of, "state": state, "cluster": cluster, "count": count, "names": names}
            connection.execute(copy, values)
        connection.execute("UPDATE workflows SET shared_names = shared_names || '{mutex/ns/q7-1}' WHERE name = 'l3'")
    _, waiting = queueing.glance(pool, "ns")
    assert (waiting.count, waiting.shared) == (10_000, frozenset({("mutex/ns/q7-1", "west")}))
