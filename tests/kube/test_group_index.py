"""Objects are found by their group, whatever somebody makes of their labels."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.group_index import GroupIndex
from webhook.kube.resources import PODS
from webhook.logs.pods import slim
from webhook.model.objects import labels


class House:
    """Pods, and an index of them by their label `group`."""

    def __init__(self) -> None:
        self.west = FakeApiserver("west", clock=FakeClock())
        self.west.namespace("ns")
        self.changed: list[str] = []
        self.index = GroupIndex(
            Cluster("west", Configuration(), http=self.west),
            PODS,
            selector="group",
            group_of=lambda pod: labels(pod)["group"],
            changed=self.changed.append,
            keep=slim,
        )

    def pod(self, name: str, group: str) -> None:
        metadata = {"name": name, "namespace": "ns", "labels": {"group": group}}
        self.west.put(PODS, {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "i"}]}})

    def names(self, group: str) -> list[str]:
        return sorted(pod["metadata"]["name"] for pod in self.index.of(group))

    def look(self) -> list[str]:
        self.index.informer.step()
        changed, self.changed[:] = sorted(set(self.changed)), []
        return changed


@pytest.fixture
def house() -> House:
    return House()


def test_a_group_has_its_pods_for_as_long_as_they_exist(house: House) -> None:
    house.pod("a", "g")
    house.pod("b", "g")
    assert house.look() == ["g"]
    assert house.names("g") == ["a", "b"]
    house.west.remove(PODS, "ns", "a")
    house.west.remove(PODS, "ns", "b")
    assert house.look() == ["g"]
    assert house.index.groups() == []


@pytest.mark.parametrize("patch", [{"group": "h"}, {"group": "h", "more": "x"}], ids=repr)
def test_a_pod_that_is_moved_is_in_its_new_group_alone_and_leaves_nothing_behind(house: House, patch: Any) -> None:
    house.pod("a", "g")
    house.look()
    house.west.change(PODS, "ns", "a", {"metadata": {"labels": patch}})
    assert house.look() == ["g", "h"]
    assert (house.names("g"), house.names("h")) == ([], ["a"])
    house.west.remove(PODS, "ns", "a")
    assert house.look() == ["h"]
    assert house.index.groups() == []


def test_a_pod_without_what_a_pod_has_costs_no_other_one_anything(house: House) -> None:
    house.west.put(PODS, {"metadata": {"name": "bad", "namespace": "ns", "labels": {"group": "g"}}})
    house.pod("good", "g")
    house.look()
    assert house.names("g") == ["good"]


def test_of_a_group_without_end_no_more_is_looked_at_than_wanted(house: House) -> None:
    for name in "abc":
        house.pod(name, "g")
    house.look()
    assert [one["metadata"]["name"] for one in house.index.of("g", most=2)] == ["a", "b"]
