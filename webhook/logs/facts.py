"""Gathers what is known about one placement's pods, on the targets and at the front door."""

from collections.abc import Callable
from dataclasses import dataclass, field

from webhook.controller.watches import Caches
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.group_index import GroupIndex
from webhook.kube.registry import Registry
from webhook.kube.resources import PODS
from webhook.logs.node import node_name
from webhook.logs.pods import Facts, slim
from webhook.model.contract import ARGO_WORKFLOW, MIRRORED, PLACEMENT
from webhook.model.objects import Object, labels
from webhook.model.run import run_placement

# Mirrored pods also have Argo's label; if the front door is a target too, they must not be mirrored again.
_OF_WORKFLOWS = f"{ARGO_WORKFLOW},!{MIRRORED}"


@dataclass
class Gatherer:
    """Keeps an index of pods per cluster. Calls `changed` for each placement with a changed pod, on either side."""

    front: Cluster
    registry: Registry
    known: Caches
    changed: Callable[[str], None]
    mirrored: GroupIndex = field(init=False)
    _pods: dict[str, GroupIndex] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.mirrored = GroupIndex(
            self.front,
            PODS,
            selector=f"{MIRRORED},{PLACEMENT}",
            group_of=lambda pod: labels(pod)[PLACEMENT],
            changed=self.changed,
            keep=slim,
        )

    def join(self, name: str, cluster: Cluster) -> None:
        """Watch the pods of a target's Workflows."""

        def changed(group: str) -> None:
            placement = self._placement_of(name, group)
            if placement:
                self.changed(placement)

        index = GroupIndex(cluster, PODS, selector=_OF_WORKFLOWS, group_of=_workflow_of, changed=changed, keep=slim)
        self._pods[name] = index
        index.informer.start()

    def leave(self, name: str) -> None:
        """Stop watching a target."""
        index = self._pods.pop(name, None)
        if index:
            index.informer.stop()

    def placements(self) -> set[str]:
        """Every placement that has pods, on a target or at the front door."""
        found = set(self.mirrored.groups())
        for cluster, index in list(self._pods.items()):
            found |= {placement for group in index.groups() if (placement := self._placement_of(cluster, group))}
        return found

    def target_of(self, placement: str) -> str:
        """The target that has a placement's run; empty if none has: then nothing is asked of any."""
        return next((name for name, runs in list(self.known.runs.items()) if runs.carries(placement)), "")

    def gather(self, placement: str) -> list[Facts]:
        """The facts about a placement, one for each target that matters."""
        # Anybody may set the labels, but only Medea puts pods on these Nodes.
        mirrored = [
            pod
            for pod in self.mirrored.of(placement)
            if pod["spec"].get("nodeName") == node_name(labels(pod)[MIRRORED])
        ]
        registered = self.registry.registered()
        found = []
        for cluster in {*(labels(pod)[MIRRORED] for pod in mirrored), *self.known.runs}:
            shown = [pod for pod in mirrored if labels(pod)[MIRRORED] == cluster]
            if cluster not in registered:
                found.append(Facts(placement, cluster, None, None, (), shown))
            elif listed := self._listed(cluster):
                found.append(self._on(cluster, *listed, placement, shown))
        return found

    def _listed(self, cluster: str) -> tuple[WorkflowIndex, GroupIndex] | None:
        """A target's runs and pods; None until both are listed, so that mirrored pods are left alone until then."""
        runs, pods = self.known.runs.get(cluster), self._pods.get(cluster)
        return (runs, pods) if runs and pods and runs.informer.wait(0) and pods.informer.wait(0) else None

    def _on(self, cluster: str, runs: WorkflowIndex, pods: GroupIndex, placement: str, shown: list[Object]) -> Facts:
        for run in runs.carrying(placement):
            origin = self.known.origin_of(run)
            if origin is not None:
                group = f"{run['metadata']['namespace']}/{run['metadata']['name']}"
                return Facts(placement, cluster, origin, run, pods.of(group), shown)
        return Facts(placement, cluster, None, None, (), shown)

    def _placement_of(self, cluster: str, group: str) -> str | None:
        namespace, _, name = group.partition("/")
        runs = self.known.runs.get(cluster)
        run = runs.informer.get(namespace, name) if runs else None
        return run_placement(run) if run else None


def _workflow_of(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{labels(pod)[ARGO_WORKFLOW]}"
