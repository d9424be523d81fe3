"""Targets come and go with their Secrets, and no Secret spoils another one's target."""

import base64
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration
from prometheus_client import REGISTRY

from tests.support.fake_apiserver import FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.errors import ClusterUnavailable, Missing
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import SECRETS, WORKFLOWS
from webhook.model.contract import CLUSTER

SPACE = "medea-targets"


def kubeconfig(server: str) -> str:
    config = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    return base64.b64encode(yaml.safe_dump(config).encode()).decode()


class House:
    """A front door with Secrets, and a registry that reads them when told to."""

    def __init__(self) -> None:
        self.front = FakeApiserver("front", clock=FakeClock())
        self.front.namespace(SPACE)
        self.told: list[tuple[str, str | None]] = []
        self.registry = Registry(Cluster("front", Configuration(), http=self.front), SPACE)
        self.registry.on_change(self._changed)

    def _changed(self, name: str, cluster: Cluster | None) -> None:
        self.told.append((name, cluster.address if cluster else None))

    def secret(self, name: str, target: str, server: str | None = None, **data: Any) -> None:
        self.front.clock.advance(1)
        kept = {"kubeconfig": kubeconfig(server or f"https://{name}")} | data
        self.front.put(
            SECRETS, {"metadata": {"name": name, "namespace": SPACE, "labels": {CLUSTER: target}}, "data": kept}
        )

    def look(self) -> list[tuple[str, str | None]]:
        self.registry.step()
        told, self.told = self.told, []
        return told


@pytest.fixture
def house() -> House:
    return House()


def test_a_target_is_there_when_its_secret_is_and_gone_when_it_is(house: House) -> None:
    house.secret("a", "west")
    assert house.look() == [("west", "https://a")]
    assert house.registry.names() == {"west": None}
    assert house.registry.get("west").name == "west"
    house.front.remove(SECRETS, SPACE, "a")
    assert house.look() == [("west", None)]
    with pytest.raises(Missing):
        house.registry.get("west")


def test_a_change_that_means_nothing_keeps_the_client(house: House) -> None:
    house.secret("a", "west")
    house.look()
    before = house.registry.get("west")
    house.front.change(SECRETS, SPACE, "a", {"metadata": {"annotations": {"note": "hello"}}})
    assert house.look() == []
    assert house.registry.get("west") is before


def test_new_credentials_make_a_new_client(house: House) -> None:
    house.secret("a", "west")
    house.look()
    house.front.change(SECRETS, SPACE, "a", {"data": {"kubeconfig": kubeconfig("https://new")}})
    assert house.look() == [("west", "https://new")]


def test_a_label_that_is_changed_takes_the_old_name_away(house: House) -> None:
    house.secret("a", "west")
    house.look()
    house.front.change(SECRETS, SPACE, "a", {"metadata": {"labels": {CLUSTER: "east"}}})
    assert sorted(house.look()) == [("east", "https://a"), ("west", None)]
    assert house.registry.names() == {"east": None}


def test_a_label_that_is_taken_off_takes_the_name_away(house: House) -> None:
    house.secret("a", "west")
    house.look()
    house.front.change(SECRETS, SPACE, "a", {"metadata": {"labels": {CLUSTER: None}}})
    assert house.look() == [("west", None)]
    assert house.registry.names() == {}


def test_of_two_secrets_with_one_name_the_older_counts_until_it_goes(house: House) -> None:
    house.secret("z", "west")
    house.secret("a", "west")
    assert house.look() == [("west", "https://z")]
    assert house.registry.names() == {"west": None}
    assert list(house.registry.duplicates()) == ["west (Secret a)"]
    assert "older Secret z" in house.registry.duplicates()["west (Secret a)"]
    assert house.registry.registered() == {"west"}
    for _ in range(3):
        house.front.compact()
        house.registry._watch._version = None
        assert house.look() == []
    house.front.remove(SECRETS, SPACE, "z")
    assert house.look() == [("west", "https://a")]
    assert house.registry.names() == {"west": None}


def test_a_newcomer_with_a_taken_name_changes_nothing(house: House) -> None:
    house.secret("z", "west")
    house.look()
    house.secret("a", "west")
    assert house.look() == []
    house.front.remove(SECRETS, SPACE, "a")
    assert house.look() == []
    assert house.registry.names() == {"west": None}


@pytest.mark.parametrize("bad", ["West", "west_1", ""])
def test_a_label_that_is_no_name_is_shown_and_harms_nobody(house: House, bad: str) -> None:
    house.secret("bad", bad)
    house.secret("good", "east")
    house.look()
    assert house.registry.names()[bad]
    assert house.registry.names()["east"] is None
    assert house.registry.registered() == {"east"}


def test_whatever_a_secret_holds_the_others_are_registered(house: House) -> None:
    for number, data in enumerate(["", "AAAA", "!!!", base64.b64encode(b"users: x").decode()]):
        house.secret(f"bad-{number}", f"bad-{number}", kubeconfig=data)
    house.secret("good", "west")
    house.look()
    assert house.registry.wait(0)
    reasons = house.registry.names()
    assert reasons.pop("west") is None
    assert all(reason and f"Secret {name}" in reason for name, reason in reasons.items())
    assert len(reasons) == 4


def test_a_secret_that_is_mended_is_usable_at_once(house: House) -> None:
    house.secret("a", "west", kubeconfig="AAAA")
    assert house.look() == [("west", None)]
    house.front.change(SECRETS, SPACE, "a", {"data": {"kubeconfig": kubeconfig("https://a")}})
    assert house.look() == [("west", "https://a")]


def test_a_listener_that_fails_keeps_no_other_from_hearing(house: House) -> None:
    def bug(_name: str, _cluster: Cluster | None) -> None:
        raise RuntimeError("nobody thought of this")

    house.registry._listeners.insert(0, bug)
    house.secret("a", "west")
    assert house.look() == [("west", "https://a")]


def test_a_target_that_is_away_is_named_with_the_reason_and_is_not_waited_for(house: House) -> None:
    house.secret("a", "west", server="https://127.0.0.1:1")
    house.look()
    west = house.registry.get("west")
    for _ in range(2):
        with pytest.raises(ClusterUnavailable, match="did not answer"):
            west.get(WORKFLOWS, "ns", "a")
    assert "has not answered for" in str(house.registry.names()["west"])
    with pytest.raises(ClusterUnavailable, match="has not answered for"):
        west.get(WORKFLOWS, "ns", "a")


def test_a_target_that_is_gone_is_in_no_metric(house: House) -> None:
    house.secret("a", "metered", server="https://127.0.0.1:1")
    house.look()
    with pytest.raises(ClusterUnavailable):
        house.registry.get("metered").list(WORKFLOWS)
    assert "metered" in metered()
    house.front.remove(SECRETS, SPACE, "a")
    house.look()
    assert "metered" not in metered()


def metered() -> set[str | None]:
    return {sample.labels.get("cluster") for metric in REGISTRY.collect() for sample in metric.samples}
