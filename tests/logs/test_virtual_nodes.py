"""Each target has its Node, whatever is wrong with another one's."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import REFUSE, ApiError, Call, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.errors import ClusterUnavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import LEASES, NODES
from webhook.logs.virtual_nodes import VirtualNodes


class House:
    """A front door and the Nodes of its targets."""

    def __init__(self) -> None:
        self.front = FakeApiserver("front", clock=FakeClock())
        self.front.namespace("kube-node-lease")
        self.targets = {"bad", "west"}
        self.nodes = VirtualNodes(
            Cluster("front", Configuration(), http=self.front),
            host="localhost",
            port=8444,
            registered=lambda: self.targets,
        )

    def there(self) -> list[str]:
        return sorted(node["metadata"]["name"] for node in self.front.all(NODES))


@pytest.fixture
def house() -> House:
    return House()


def test_each_target_has_a_node_and_a_lease_and_no_other_has(house: House) -> None:
    house.nodes.beat()
    assert house.there() == ["medea-bad", "medea-west"]
    assert len(house.front.all(LEASES)) == 2
    house.targets = {"west"}
    house.nodes.beat()
    assert house.there() == ["medea-west"]


def test_a_node_that_is_refused_costs_no_other_its_beat(house: House) -> None:
    def refuse(_call: Call, thing: dict[str, Any]) -> ApiError | None:
        refused = thing["metadata"]["name"] == "medea-bad"
        return ApiError(422, "Invalid", "not like this", {"name": "medea-bad"}) if refused else None

    house.front.refuse_later = refuse
    house.nodes.beat()
    assert house.there() == ["medea-west"]


def test_a_front_door_that_is_away_is_told_to_who_asked(house: House) -> None:
    house.front.faults = lambda _call: REFUSE
    with pytest.raises(ClusterUnavailable):
        house.nodes.beat()
