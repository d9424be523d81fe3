"""A target that is gone for good: what was there ends, and nothing waits for it."""

import pytest
from kubernetes.client import Configuration

from tests.ledger.test_fencing import ended, running, state
from tests.ledger.test_placements import PLACED, QUEUED, bound
from tests.support.fake_apiserver import FakeApiserver
from webhook.admin import forget as forgetting
from webhook.admin.forget import check_unregistered, forget
from webhook.controller.plan import Facts, Step, plan
from webhook.errors import BadRequest, Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS
from webhook.ledger import placements
from webhook.ledger.by_cluster import Share, shares
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.objects import Object


def origin(placement: str, **metadata: object) -> Object:
    marks = {"annotations": {"medea.dev/placement": placement}, "finalizers": ["medea.dev/run"]}
    return {"metadata": {"uid": f"uid-{placement}", **marks, **metadata}}


@pytest.fixture
def fake() -> FakeApiserver:
    fake = FakeApiserver()
    fake.namespace("medea-targets")
    return fake


def front(fake: FakeApiserver) -> Cluster:
    return Cluster("front", Configuration(), http=fake)


def secret(name: str, target: str) -> Object:
    return {"metadata": {"name": name, "namespace": "medea-targets", "labels": {"medea.dev/cluster": target}}}


def test_a_target_that_is_registered_is_not_forgotten_and_it_is_said_how_to_remove_it(fake: FakeApiserver) -> None:
    fake.put(SECRETS, secret("target-west", "west"))
    fake.put(SECRETS, secret("target-east", "east"))
    with pytest.raises(Refused, match=r"kubectl -n medea-targets delete secret target-west$"):
        check_unregistered(front(fake), "medea-targets", "west")
    fake.remove(SECRETS, "medea-targets", "target-west")
    check_unregistered(front(fake), "medea-targets", "west")


def test_what_is_no_name_of_a_target_is_said_to_be_none(fake: FakeApiserver) -> None:
    with pytest.raises(BadRequest):
        check_unregistered(front(fake), "medea-targets", "west,medea.dev/other")


def test_what_ran_there_ends_as_lost_and_the_controller_shows_it(pool: Pool) -> None:
    running(pool)
    assert forget(pool, "west") == {forgetting.LOST: 1}
    row = state(pool)
    assert (row.state, row.phase) == (State.ENDED, "Error")
    assert str(row.message).startswith("Lost: its target west is gone for good")
    assert plan(Facts(row, origin("p1"), False, None)) is Step.FINISH


def test_what_no_create_was_tried_for_goes_elsewhere(pool: Pool) -> None:
    bound(pool)
    assert forget(pool, "west") == {forgetting.QUEUED: 1}
    assert (state(pool).state, state(pool).cluster) == (State.QUEUED, None)


def test_what_a_create_was_tried_for_is_lost(pool: Pool) -> None:
    bound(pool)
    placements.intend_run(pool, "p1", "job", cluster="west")
    assert forget(pool, "west") == {forgetting.LOST: 1}


def test_a_delete_that_hung_goes_through(pool: Pool) -> None:
    running(pool)
    placements.deleting(pool, "p1")
    assert forget(pool, "west") == {forgetting.DELETED: 1}
    assert plan(Facts(state(pool), origin("p1", deletionTimestamp="now"), False, None)) is Step.REMOVE_FINALIZER


def test_what_had_ended_there_can_be_deleted_without_it(pool: Pool) -> None:
    ended(pool)
    placements.end_shown(pool, "p1", run_uid="r1")
    assert forget(pool, "west") == {forgetting.HAD_ENDED: 1}
    row = placements.deleting(pool, "p1")
    # The controller looks for the run only where the row says that one may be.
    assert row is not None and row.cluster is None and row.phase == "Succeeded"


def test_other_targets_and_what_waits_are_left_alone(pool: Pool) -> None:
    bound(pool)
    bound(pool, QUEUED, "p2")
    assert forget(pool, "east") == {}
    assert (state(pool).state, state(pool, "p2").state) == (State.RESERVED, State.QUEUED)


def test_forgetting_again_finds_nothing(pool: Pool) -> None:
    running(pool)
    forget(pool, "west")
    assert forget(pool, "west") == {}
    assert shares(pool, "west") == []


def test_more_than_a_page_is_forgotten_and_what_can_not_be_does_not_stop_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "FORGET_PAGE", 2)
    for number in range(5):
        running(pool, f"p{number}")
    with pool.transaction() as connection:
        connection.execute("UPDATE workflows SET state = 'of tomorrow' WHERE placement = 'p1'")
    assert forget(pool, "west") == {forgetting.LOST: 4, forgetting.LEFT: 1}


def test_what_will_be_lost_is_counted_by_namespace_and_state(pool: Pool) -> None:
    running(pool, "p1")
    ended(pool, "p2")
    bound(pool, PLACED, "p3")
    bound(pool, QUEUED, "p4")
    assert shares(pool, "west") == [
        Share("ns", "ended", 1, 1),
        Share("ns", "reserved", 1, 0),
        Share("ns", "running", 1, 1),
    ]
    assert shares(pool, "east") == []
