"""The queue's own thread: one namespace that fails keeps no other waiting."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.ledger.test_placements import PLACED, QUEUED, new
from webhook.controller.queue import Queue
from webhook.errors import LedgerUnavailable
from webhook.ledger import placements, reserving
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.scout.model import Decision


class Placer:
    """Places the one that waits in each namespace but in `a`, where it fails."""

    def __init__(self, pool: Pool, error: Exception) -> None:
        self._pool, self._error = pool, error
        self.asked: list[str] = []

    def place_queue(self, namespace: str, left: Callable[[Placement, Decision], None]) -> None:
        self.asked.append(namespace)
        if namespace == "a":
            raise self._error
        row = placements.get(self._pool, f"p-{namespace}")
        assert row is not None
        left(row, PLACED)


@pytest.mark.parametrize("error", [LedgerUnavailable("no answer"), ArithmeticError("a bug")])
def test_a_namespace_that_fails_keeps_no_other_waiting_and_is_looked_at_again(pool: Pool, error: Exception) -> None:
    for namespace in ("a", "b", "c"):
        waiting = new(f"p-{namespace}")
        reserving.admit(pool, waiting, lambda _: QUEUED)
        with pool.transaction() as connection:
            connection.execute(
                "UPDATE workflows SET namespace = %s, bound_at = now() WHERE placement = %s",
                (namespace, waiting.placement),
            )
    changed: list[str] = []
    placer: Any = Placer(pool, error)
    queue = Queue(pool=pool, placer=placer, changed=lambda placement, *_: changed.append(placement))
    for _ in range(2):
        queue.look()
    assert sorted(changed) == ["p-b", "p-b", "p-c", "p-c"]
    assert sorted(placer.asked) == ["a", "a", "b", "b", "c", "c"]


def test_a_ledger_that_is_away_ends_no_thread() -> None:
    placer: Any = None
    away = Pool("host=127.0.0.1 port=1 connect_timeout=1", size=2)
    Queue(pool=away, placer=placer, changed=lambda *_: None).look()
