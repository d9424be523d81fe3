"""The targets' Secrets of an older Medea move to a namespace of their own; until it is finished there is a way back."""

import base64
import json
from typing import Any

import pytest
import yaml

from tests.support.fake_apiserver import Call, FakeApiserver
from tests.targets.house import House, kubeconfig
from webhook.errors import ClusterUnavailable, Refused
from webhook.kube.registry import Registry
from webhook.kube.resources import CLUSTER_PROFILES, NAMESPACES, SECRETS
from webhook.targets.move import copy, finish

OLD, NEW = "medea-system", "own"


class Move:
    """A front door whose targets are registered where Medea's other Secrets are."""

    def __init__(self) -> None:
        self.house = House()
        self.front: FakeApiserver = self.house.front
        self.front.namespace(OLD)
        self.put("medea-authority", None)
        for name in ("west", "east"):
            self.put(f"target-{name}", name)

    def put(self, secret: str, target: str | None, **annotations: str) -> None:
        labels = {"medea.dev/cluster": target} if target else {}
        metadata = {"name": secret, "namespace": OLD, "labels": labels, "annotations": annotations}
        data = {"kubeconfig": kubeconfig(f"https://{target}", f"token-of-{secret}")}
        self.front.put(SECRETS, {"metadata": metadata, "type": "Opaque", "data": data})

    def copied(self) -> list[str]:
        return [f"{done.how}: {done.words}" for done in copy(self.house.front_door, OLD, NEW)]

    def finished(self) -> list[str]:
        return list(finish(self.house.front_door, OLD, NEW))

    def there(self, namespace: str) -> dict[str, Any]:
        found = [one for one in self.front.all(SECRETS) if one["metadata"]["namespace"] == namespace]
        return {one["metadata"]["name"]: one for one in found}

    def seen(self, namespace: str) -> dict[str, str]:
        """The tokens by which a Medea that looks there reaches its targets."""
        registry = Registry(self.house.front_door, namespace, connect=self.house.connect)
        registry.step()
        return {name: token(registry.secret(name)) for name in registry.registered()}


def token(secret: Any) -> str:
    config = yaml.safe_load(base64.b64decode(secret["data"]["kubeconfig"]))
    return str(config["users"][0]["user"]["token"])


@pytest.fixture
def move() -> Move:
    return Move()


def test_both_an_older_and_a_newer_medea_find_all_targets_until_it_is_finished(move: Move) -> None:
    before = move.seen(OLD)
    assert move.copied() == [
        "made: Namespace own at the front door",
        "made: Secret target-east in own, for target east",
        "made: Secret target-west in own, for target west",
    ]
    assert move.seen(NEW) == move.seen(OLD) == before
    assert "medea-authority" not in move.there(NEW)
    assert move.finished() == ["Secret target-east in medea-system", "Secret target-west in medea-system"]
    assert move.seen(NEW) == before and list(move.there(OLD)) == ["medea-authority"]


def test_what_has_been_renewed_since_is_not_written_over(move: Move) -> None:
    move.copied()
    move.front.change(SECRETS, NEW, "target-west", {"data": {"kubeconfig": kubeconfig("https://west", "renewed")}})
    assert move.copied() == [
        "as it was: target east, which has a Secret in own",
        "as it was: target west, which has a Secret in own",
    ]
    assert move.seen(NEW)["west"] == "renewed"


def test_a_drained_target_stays_drained_and_kubectls_notes_stay_behind(move: Move) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"metadata": {"namespace": OLD}})}
    move.put("target-west", "west", **{"medea.dev/drain": "true", **applied})
    move.copied()
    assert move.there(NEW)["target-west"]["metadata"]["annotations"] == {"medea.dev/drain": "true"}


def test_of_several_secrets_of_one_target_the_one_in_use_is_copied(move: Move) -> None:
    move.house.clock.advance(10)
    move.put("another", "west")
    move.copied()
    assert set(move.there(NEW)) == {"target-west", "target-east"}
    assert move.seen(NEW) == move.seen(OLD)
    move.finished()
    assert list(move.there(OLD)) == ["medea-authority"]


def test_nothing_is_deleted_while_a_target_was_not_copied(move: Move) -> None:
    move.copied()
    move.put("target-north", "north")
    with pytest.raises(Refused, match="target north has no Secret in own yet; nothing was done"):
        move.finished()
    assert {"target-west", "target-east", "target-north"} < set(move.there(OLD))


def test_what_broke_off_is_done_by_the_next_attempt(move: Move) -> None:
    def broken(call: Call) -> Any:
        if call.verb == "create" and call.resource == "secrets" and "target-west" in str(call.body):
            raise ClusterUnavailable("front did not answer")

    move.front.faults = broken
    with pytest.raises(ClusterUnavailable):
        move.copied()
    move.front.faults = lambda _call: None
    assert move.copied()[-1] == "made: Secret target-west in own, for target west"
    assert move.front.get(NAMESPACES, None, NEW) is not None


def test_medeas_own_profiles_of_the_targets_go_with_the_old_secrets(move: Move) -> None:
    for name, manager in (("west", "medea"), ("theirs", "other")):
        labels = {"x-k8s.io/cluster-manager": manager}
        move.front.put(CLUSTER_PROFILES, {"metadata": {"name": name, "namespace": OLD, "labels": labels}})
    move.copied()
    assert "ClusterProfile west in medea-system" in move.finished()
    assert [one["metadata"]["name"] for one in move.front.all(CLUSTER_PROFILES)] == ["theirs"]


def test_where_they_are_already_nothing_is_done(move: Move) -> None:
    with pytest.raises(Refused, match="MEDEA_TARGETS_NAMESPACE"):
        list(finish(move.house.front_door, OLD, OLD))
    assert "target-west" in move.there(OLD)
