"""Two that decide about one name at the same moment take turns, whatever their namespaces are."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from tests.ledger.test_placements import PLACED, new
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.scout.model import Decision
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
