"""A target is drained and removed, and nothing of Medea stays on it."""

import pytest

from tests.support.fake_apiserver import FakeApiserver, answer
from tests.targets.administrator import SPACE, Administrator
from webhook.errors import BadRequest, Conflict, Missing
from webhook.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    WORKFLOWS,
)
from webhook.model.contract import FINALIZER, PLACEMENT
from webhook.targets.leave import revoke, set_drain, unregister

KINDS = (NAMESPACES, SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)


def contents(cluster: FakeApiserver) -> set[tuple[str, str, str]]:
    return {
        (kind.plural, one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for kind in KINDS
        for one in cluster.all(kind)
    }


def test_what_was_added_is_taken_back_and_nothing_else() -> None:
    admin = Administrator("a", "b")
    admin.west.put(ROLE_BINDINGS, {"metadata": {"name": "theirs", "namespace": "a"}})
    before = contents(admin.west)
    admin.add("a", "b")
    assert contents(admin.west) > before
    list(revoke(admin.target()))
    assert contents(admin.west) == before
    assert list(revoke(admin.target())) == []


def test_a_namespace_that_was_there_before_stays() -> None:
    admin = Administrator("a")
    admin.west.namespace(SPACE)
    admin.add("a")
    list(revoke(admin.target()))
    assert admin.west.get(NAMESPACES, None, SPACE) is not None


def run(admin: Administrator) -> None:
    metadata = {"name": "run", "namespace": "a", "labels": {PLACEMENT: "p1"}, "finalizers": [FINALIZER, "theirs"]}
    admin.west.put(WORKFLOWS, {"metadata": metadata})


def finalizers(admin: Administrator) -> list[str]:
    found = admin.west.get(WORKFLOWS, "a", "run")
    assert found is not None
    return list(found["metadata"]["finalizers"])


def test_what_still_runs_there_can_be_deleted_by_anybody() -> None:
    admin = Administrator("a")
    run(admin)
    assert next(iter(revoke(admin.target()))) == "the finalizer of Workflow run in a"
    assert finalizers(admin) == ["theirs"]


def test_a_run_that_changes_meanwhile_is_read_again() -> None:
    admin = Administrator("a")
    run(admin)
    clashes = [answer(409, reason="Conflict"), answer(409, reason="Conflict")]
    admin.west.faults = lambda call: clashes.pop() if call.verb == "patch" and clashes else None
    list(revoke(admin.target()))
    assert finalizers(admin) == ["theirs"]


def test_a_run_that_never_rests_is_told() -> None:
    admin = Administrator("a")
    run(admin)
    admin.west.faults = lambda call: answer(409, reason="Conflict") if call.verb == "patch" else None
    with pytest.raises(Conflict):
        list(revoke(admin.target()))


def test_all_secrets_of_a_target_go_and_those_of_others_stay() -> None:
    admin = Administrator("a")
    admin.add("a")
    for name, target in (("second", "west"), ("other", "east")):
        metadata = {"name": name, "namespace": SPACE, "labels": {"medea.dev/cluster": target}}
        admin.front.put(SECRETS, {"metadata": metadata})
    assert sorted(unregister(admin.front_door, SPACE, "west")) == ["second", "target-west"]
    assert [one["metadata"]["name"] for one in admin.front.all(SECRETS)] == ["other"]


def test_draining_marks_the_secret_and_undraining_takes_the_mark_off() -> None:
    admin = Administrator("a")
    admin.add("a")
    for drain in (True, True, False):
        set_drain(admin.front_door, SPACE, "west", drain=drain)
        secret = admin.front.get(SECRETS, SPACE, "target-west")
        assert secret is not None
        assert (secret["metadata"].get("annotations") or {}).get("medea.dev/drain") == ("true" if drain else None)


def test_only_what_is_registered_can_be_drained() -> None:
    with pytest.raises(Missing, match="medea target list"):
        set_drain(Administrator().front_door, SPACE, "west", drain=True)
    with pytest.raises(BadRequest):
        set_drain(Administrator().front_door, SPACE, "../west", drain=True)
