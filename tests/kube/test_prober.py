"""Targets are asked whether they are there before any Workflow has to find out."""

import threading
from typing import Any

import pytest
from kubernetes.client import Configuration
from prometheus_client import REGISTRY

from tests.kube.test_registry import SPACE, kubeconfig
from tests.support.fake_apiserver import REFUSE, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.kube.resources import SECRETS
from webhook.model.contract import CLUSTER


class House:
    """A front door that registers one target, `west`, and what asks it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.front, self.west = (FakeApiserver(name, clock=self.clock) for name in ("front", "west"))
        self.front.namespace(SPACE)
        metadata = {"name": "a", "namespace": SPACE, "labels": {CLUSTER: "west"}}
        self.front.put(SECRETS, {"metadata": metadata, "data": {"kubeconfig": kubeconfig("https://west")}})
        self.registry = Registry(Cluster("front", Configuration(), http=self.front), SPACE, connect=self._connect)
        self.registry.step()
        self.prober = TargetProber(self.registry)

    def _connect(self, name: str, configuration: Configuration) -> Cluster:
        return Cluster(name, configuration, http=self.west, breaker=True, clock=self.clock)


@pytest.fixture
def house() -> House:
    return House()


def gauge() -> float | None:
    return REGISTRY.get_sample_value("medea_target_away", {"cluster": "west"})


def test_a_target_that_goes_and_comes_is_found_by_asking(house: House) -> None:
    house.west.faults = lambda _call: REFUSE
    house.prober.probe("west")
    house.prober.probe("west")
    assert "has not answered" in str(house.registry.names()["west"])
    house.west.faults = lambda _call: None
    house.prober.probe("west")
    assert house.registry.names() == {"west": None}


def test_every_target_is_asked_by_a_thread_of_its_own_while_it_is_registered(house: House) -> None:
    asked = threading.Event()

    def note(call: Any) -> None:
        if call.resource == "readyz":
            asked.set()

    house.west.faults = note
    house.prober.start()
    assert asked.wait(60)
    house.prober.stop()


def test_a_target_that_is_gone_is_in_no_metric(house: House) -> None:
    house.prober._targets.look()
    house.prober.probe("west")
    assert gauge() == 0
    house.front.remove(SECRETS, SPACE, "a")
    house.registry.step()
    house.prober._targets.look()
    assert gauge() is None
