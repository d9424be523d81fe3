"""The commands that only a person gives, as they are typed."""

from contextlib import nullcontext

import psycopg
import pytest
from kubernetes.client import Configuration
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from tests.admin.clusters import origin, run
from tests.admin.test_rebuild import Clusters
from tests.ledger.test_fencing import running, state
from tests.support.fake_apiserver import FakeApiserver
from webhook.admin import surroundings
from webhook.cli import app
from webhook.errors import LedgerUnavailable, Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS, WORKFLOWS
from webhook.ledger import identities
from webhook.ledger.pool import Pool
from webhook.model.contract import State


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch, dsn: str) -> FakeApiserver:
    """The front door of these commands, whose ledger is that of `pool`."""
    front = FakeApiserver()
    front.namespace("medea-targets")
    cluster = Cluster("front", Configuration(), http=front)
    monkeypatch.setattr(surroundings, "front", lambda _settings, _context=None: cluster)
    monkeypatch.setattr(surroundings, "ledger_dsn", lambda _settings: dsn)
    monkeypatch.setenv("POSTGRESQL_URL", "as above")
    return front


def test_rebuilding_tells_what_became_of_each_and_what_to_do(
    pool: Pool, front: FakeApiserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters = Clusters(front)
    monkeypatch.setattr(surroundings, "registry", lambda _front, _settings, _pool: nullcontext(clusters))
    front.put(WORKFLOWS, origin("p1", state="queued", cluster=None))
    front.put(WORKFLOWS, origin("p2", cluster="north"))
    clusters.east.put(WORKFLOWS, run("p3"))
    told = medea("ledger", "rebuild", "--gone", "south").output
    assert "ns/job-p1: ended as Lost: Lost: Medea's ledger was lost" in told
    assert "north is not registered; register it, or say --gone north" in told
    assert "ns/job-p3 on east: left alone" in told
    assert state(pool).state is State.ENDED


def medea(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=answer)


def test_forgetting_a_target_shows_what_is_lost_and_asks_first(pool: Pool, front: FakeApiserver) -> None:
    running(pool)
    asked = medea("target", "forget", "west", answer="n\n")
    assert asked.exit_code == 1
    assert "running" in asked.output and "Is west gone for good?" in asked.output
    assert state(pool).state is State.RUNNING
    assert front.calls
    agreed = medea("target", "forget", "west", answer="y\n")
    assert agreed.exit_code == 0 and "1 ended as Lost" in agreed.output
    assert state(pool).state is State.ENDED


@pytest.mark.parametrize("something_ran", [True, False])
def test_any_cluster_may_have_the_name_of_a_target_that_was_forgotten(
    pool: Pool, front: FakeApiserver, something_ran: bool
) -> None:
    assert identities.expected(pool, "west", "a") == "a"
    if something_ran:
        running(pool)
    assert medea("target", "forget", "west", "--yes").exit_code == 0
    assert front.calls
    assert identities.expected(pool, "west", "b") == "b"


@pytest.mark.usefixtures("front")
def test_forgetting_without_being_asked_and_again_is_fine(pool: Pool) -> None:
    running(pool)
    assert medea("target", "forget", "west", "--yes").exit_code == 0
    again = medea("target", "forget", "west", "--yes")
    assert again.exit_code == 0 and "the ledger knows of nothing on west" in again.output


def test_a_registered_target_is_not_forgotten(pool: Pool, front: FakeApiserver) -> None:
    running(pool)
    labels = {"medea.dev/cluster": "west"}
    front.put(SECRETS, {"metadata": {"name": "target-west", "namespace": "medea-targets", "labels": labels}})
    refused = medea("target", "forget", "west", "--yes")
    assert isinstance(refused.exception, Refused)
    assert state(pool).state is State.RUNNING


def test_the_uids_that_the_ledger_knows_are_read_without_noting_any(pool: Pool, dsn: str) -> None:
    assert identities.recorded(dsn) == {}
    identities.expected(pool, "west", "w")
    assert identities.recorded(dsn) == {"west": "w"}
    with pytest.raises(LedgerUnavailable):
        identities.recorded("postgresql://ann@127.0.0.1:1/medea")


def test_a_ledger_that_nobody_has_migrated_knows_no_cluster_and_stays_as_it_is(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unmigrated")
        try:
            empty = make_conninfo(dsn, dbname="unmigrated")
            assert identities.recorded(empty) == {}
            with psycopg.connect(empty) as inside:
                tables = inside.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            assert tables == []
        finally:
            connection.execute("DROP DATABASE unmigrated WITH (FORCE)")
