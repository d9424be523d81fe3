"""A front door that says where a Workflow would go, and targets with node pools, for tests of the door for nodes."""

import copy
import json
from typing import Any, cast

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import Resource
from webhook.model.contract import CLUSTER, CLUSTERS, DECISION, NODE_POOLS, PLACEMENT, REASON, STATE

Object = dict[str, Any]
POOLS = {
    "west": {"small": ("2", "8Gi"), "large": ("16", "64Gi")},
    "east": {"small": ("2", "8Gi")},
    "bare": {},
}


class Front:
    """Places on the first allowed target that has room; keeps what it was asked."""

    def __init__(self, *room: str, error: MedeaError | None = None) -> None:
        self.room, self.error = room, error
        self.asked: list[tuple[str | None, bool, Object]] = []

    def create(
        self, _kind: Resource, namespace: str | None, body: Object, *, dry_run: bool = False, **_: Any
    ) -> Object:
        """Answer as a front door with Medea's webhook does."""
        self.asked.append((namespace, dry_run, copy.deepcopy(body)))
        if self.error:
            raise self.error
        metadata = body["metadata"]
        marks = metadata.get("annotations") or {}
        allowed = [one for one in self.room if one in marks.get(CLUSTERS, ",".join(self.room)).split(",")]
        said = {PLACEMENT: "p", DECISION: "it fits", STATE: "queued", REASON: "all full"}
        if allowed:
            said = {PLACEMENT: "p", DECISION: f"{allowed[0]}: it fits", STATE: "placed", CLUSTER: allowed[0]}
        name = metadata.get("name") or f"{metadata['generateName']}x"
        return {"metadata": {"name": name, "annotations": {**marks, **said}}}

    @property
    def cluster(self) -> Cluster:
        """As the client that it stands for."""
        return cast("Cluster", self)


class Targets:
    """Stands for the registry. Until it has `listed` them it knows none."""

    def __init__(self, pools: dict[str, Any], *, listed: bool = True) -> None:
        self._pools, self.listed = pools, listed
        self.looked = 0

    def wait(self, _timeout: float) -> bool:
        """Whether they are known."""
        self.looked += 1
        return self.listed

    def registered(self) -> set[str]:
        """All of them."""
        return set(self._pools) if self.listed else set()

    def secret(self, target: str) -> Object:
        """With the pools in it."""
        own = self._pools[target]
        noted = [
            {"selector": {"pool": name}, "sizes": {"cpu": cpu, "memory": memory}} for name, (cpu, memory) in own.items()
        ]
        return {"metadata": {"annotations": {NODE_POOLS: json.dumps(noted)} if own else {}}}


def registry(pools: dict[str, Any] | None = None, *, listed: bool = True) -> Registry:
    """A registry of these targets."""
    return cast("Registry", Targets(POOLS if pools is None else pools, listed=listed))
