"""A front door that registers targets by Secrets, each target a fake apiserver."""

import base64
from typing import Any

import yaml
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import SECRETS
from webhook.model.contract import CLUSTER

SPACE = "medea-targets"


def kubeconfig(server: str, token: str = "secret") -> str:
    """As it is in a Secret's data."""
    config = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    return base64.b64encode(yaml.safe_dump(config).encode()).decode()


class House:
    """The front door, the targets `west` and `east`, and a registry that looks when it is told to."""

    def __init__(self, *registered: str) -> None:
        self.clock = FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.front.namespace(SPACE)
        self.targets = {name: FakeApiserver(name, clock=self.clock) for name in ("west", "east")}
        self.registry = Registry(self.front_door, SPACE, connect=self.connect)
        for name in registered:
            self.register(name)

    @property
    def front_door(self) -> Cluster:
        return Cluster("front", Configuration(), http=self.front, clock=self.clock)

    def connect(self, name: str, _: Configuration) -> Cluster:
        """The client of a target; it has a breaker, as in the registry."""
        return Cluster(name, Configuration(), http=self.targets[name], breaker=True, clock=self.clock)

    def register(self, name: str, token: str = "secret", **annotations: str) -> None:
        """Make or change a target's Secret."""
        metadata: dict[str, Any] = {"name": f"target-{name}", "namespace": SPACE, "labels": {CLUSTER: name}}
        data = {"kubeconfig": kubeconfig(f"https://{name}", token)}
        self.front.put(SECRETS, {"metadata": {**metadata, "annotations": annotations}, "data": data})
        self.look()

    def look(self) -> None:
        """The registry hears of what has changed."""
        self.registry.step()
        self.registry.step()
