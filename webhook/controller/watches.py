"""What the controller watches: the front door's origins, namespaces and agents, and the runs of every target.

A change only says which placement to look at, and in which lane: that of the target it is about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from webhook.controller.subworkflows import Subworkflows
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import NAMESPACES, PODS
from webhook.kube.workqueue import WorkQueue
from webhook.model.contract import ARGO_COMPONENT, CLUSTER, ENABLED, PLACEMENT
from webhook.model.limits import MOMENT
from webhook.model.objects import Object, annotations, labels, spec_of
from webhook.model.run import origin_placement, run_placement

NAMESPACE = "namespace/"
"""Begins the key of a namespace in the work queue; its name follows."""


@dataclass(frozen=True)
class Caches:
    """The controller's watches, current for as long as it runs: namespaces are those that opted in, runs by target."""

    origins: WorkflowIndex
    runs: Mapping[str, WorkflowIndex]
    namespaces: Informer


class Follower(Protocol):
    """Shows what the controller knows in another way."""

    def start(self) -> None:
        """Begin; the registry has not been started yet."""

    def look_at(self, placement: str) -> None:
        """The origin or the run of this placement has changed. It must only take note."""


class Watches:
    """Owns the watches, and puts into `work` what changes."""

    def __init__(
        self,
        front: Cluster,
        work: WorkQueue,
        children: Subworkflows,
        *,
        begin: Callable[[Informer], None] = Informer.start,
    ) -> None:
        """`begin` starts a watch."""
        self._work, self._begin = work, begin
        self._followers: list[Follower] = []
        self.origins = WorkflowIndex(front, placement_of=origin_placement, changed=self._on_origin, also=children.note)
        self.namespaces = Informer(front, NAMESPACES, self._on_namespace, selector=f"{ENABLED}=true")
        self.agents = Informer(front, PODS, _nobody_listens, selector=f"{ARGO_COMPONENT}=agent", keep=_kept_of_agent)
        self.runs: dict[str, WorkflowIndex] = {}

    @property
    def known(self) -> Caches:
        """What the watches show, for rooms that show it in other ways."""
        return Caches(self.origins, self.runs, self.namespaces)

    def follow(self, follower: Follower) -> None:
        """Have `follower` started with the watches, and told of changes. To be called before `start`."""
        self._followers.append(follower)

    def start(self) -> None:
        """Begin to watch the front door; targets follow with `on_target`."""
        for follower in self._followers:
            follower.start()
        for informer in (self.namespaces, self.origins.informer, self.agents):
            self._begin(informer)

    def on_target(self, name: str, cluster: Cluster | None) -> None:
        """A target has come or changed, or is gone."""
        old = self.runs.pop(name, None)
        if old:
            old.informer.stop()
        if cluster:
            index = WorkflowIndex(
                cluster,
                placement_of=run_placement,
                changed=lambda placement, _run: self._on_run(placement, name),
                selector=PLACEMENT,
            )
            self.runs[name] = index
            self._begin(index.informer)

    def _on_origin(self, placement: str, origin: Object) -> None:
        # What has left the queue doesn't say so before its run exists: then others know its target better.
        self._work.add(placement, lane=annotations(origin).get(CLUSTER))
        self._tell(placement)

    def _on_run(self, placement: str, cluster: str) -> None:
        self._work.add_after(placement, MOMENT, lane=cluster)
        self._tell(placement)

    def _tell(self, placement: str) -> None:
        for follower in self._followers:
            follower.look_at(placement)

    def _on_namespace(self, namespace: Object, gone: bool) -> None:
        if not gone:
            self._work.add(NAMESPACE + namespace["metadata"]["name"])


def _nobody_listens(_: Object, __: bool) -> None:
    """The watch is only asked."""


def _kept_of_agent(pod: Object) -> Object:
    """An agent's pod is a page long, and there is one for each Workflow."""
    metadata = {key: pod["metadata"].get(key) for key in ("name", "namespace", "uid", "resourceVersion")}
    return {
        "metadata": {**metadata, "labels": labels(pod)},
        "spec": {"serviceAccountName": spec_of(pod).get("serviceAccountName")},
    }
