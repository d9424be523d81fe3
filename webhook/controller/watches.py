"""The controller's informers: origins, namespaces and agents at the front door, and of every target the runs and what
these have made there.

A change only adds the placement to the work queue, in the lane of its target.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from webhook.controller.made_index import MadeIndex
from webhook.controller.subworkflows import Subworkflows
from webhook.controller.workflow_index import WorkflowIndex
from webhook.cron.children import Children
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, Listener
from webhook.kube.resources import CRON_WORKFLOWS, NAMESPACES, PODS
from webhook.kube.workqueue import WorkQueue
from webhook.model.contract import ARGO_COMPONENT, CLUSTER, MIRRORED, OPTED_IN, ORIGIN_UID, PLACEMENT, SPLIT_OF
from webhook.model.deadline import Clock
from webhook.model.limits.controller import LONGEST_MOMENT, MOMENT_NODES, PACKED_NODE
from webhook.model.limits.kube import MOMENT
from webhook.model.objects import Object, annotations, labels, mapping, spec_of, status_of
from webhook.model.run import origin_placement, run_placement
from webhook.namespaces.foreign_writes import ForeignWrites, with_last_write

NAMESPACE = "namespace/"
"""Prefix of a namespace's key in the work queue; its name follows."""
CRON = "cron/"
"""Prefix of a CronWorkflow's key in the work queue; namespace and name follow."""
CRON_LANE = "/cron"
"""Calls for CronWorkflows that hang take no more threads than those for one target, whose name has no slash."""


@dataclass(frozen=True)
class Caches:
    """The controller's caches. `runs` is by target and changes as targets do; `namespaces` are those that opted in."""

    origins: WorkflowIndex
    runs: Mapping[str, WorkflowIndex]
    namespaces: Informer

    def origin_of(self, run: Object) -> Object | None:
        """The origin of a run, by the labels of the run, which others can change on a target.

        None if there is none in the run's own namespace, or if that has opted out since.
        """
        placement, uid = run_placement(run), labels(run).get(ORIGIN_UID)
        if placement is None or uid is None or self.namespaces.get("", _namespace(run)) is None:
            return None
        carrying = self.origins.carrying(placement)
        return next(
            (one for one in carrying if one["metadata"]["uid"] == uid and _namespace(one) == _namespace(run)), None
        )


class Follower(Protocol):
    """Something else that follows changes of placements, such as the mirror of pods."""

    def start(self) -> None:
        """Start. The registry has not been started yet."""

    def look_at(self, placement: str) -> None:
        """The origin or the run of this placement has changed. Must return quickly."""


class Watches:
    """Owns the informers, and adds to `work` what has changed."""

    def __init__(
        self,
        front: Cluster,
        work: WorkQueue,
        children: Subworkflows,
        *,
        begin: Callable[[Informer], None] = Informer.start,
        clock: Clock = time.monotonic,
    ) -> None:
        """`begin` is called to start an informer."""
        self._work, self._begin = work, begin
        self._followers: list[Follower] = []
        self.foreign_writes = ForeignWrites(self._look_at_namespace)
        self.cron_children = Children(self.look_at_cron, clock=clock)
        self.origins = WorkflowIndex(
            front,
            placement_of=origin_placement,
            changed=self._on_origin,
            also=_each(children.note, self.cron_children.note, self._on_part),
            keep=with_last_write,
        )
        self.namespaces = Informer(front, NAMESPACES, self._on_namespace, selector=OPTED_IN)
        self.crons = Informer(front, CRON_WORKFLOWS, self._on_cron)
        agents = f"{ARGO_COMPONENT}=agent,!{MIRRORED}"
        self.agents = Informer(front, PODS, _nobody_listens, selector=agents, keep=_kept_of_agent)
        self.runs: dict[str, WorkflowIndex] = {}
        self.made: dict[str, MadeIndex] = {}

    @property
    def known(self) -> Caches:
        """The caches, for others that follow them."""
        return Caches(self.origins, self.runs, self.namespaces)

    def follow(self, follower: Follower) -> None:
        """Start `follower` with the informers, and notify it of changes. Call this before `start`."""
        self._followers.append(follower)

    def start(self) -> None:
        """Start watching the front door; targets are added by `on_target`."""
        for follower in self._followers:
            follower.start()
        for informer in (self.namespaces, self.origins.informer, self.agents, self.crons):
            self._begin(informer)

    def on_target(self, name: str, cluster: Cluster | None) -> None:
        """A target was added or changed; or removed, if `cluster` is None."""
        for old in (self.runs.pop(name, None), self.made.pop(name, None)):
            if old:
                old.informer.stop()
        if cluster:
            index = WorkflowIndex(
                cluster,
                placement_of=run_placement,
                changed=lambda placement, run: self._on_run(placement, run, name),
                selector=PLACEMENT,
            )
            self.runs[name] = index
            self.made[name] = MadeIndex(cluster, lambda run, space: self._on_made(run, space, index, name))
            self._begin(index.informer)
            self._begin(self.made[name].informer)

    def _on_origin(self, placement: str, origin: Object) -> None:
        # What has left the queue doesn't say so before its run exists: then others know its target better.
        self._work.add(placement, lane=annotations(origin).get(CLUSTER), share=_namespace(origin))
        self.foreign_writes.note(origin)
        self._tell(placement)

    def _on_run(self, placement: str, run: Object, cluster: str) -> None:
        self._work.add_after(placement, moment_for(run), lane=cluster, share=_namespace(run))
        self._tell(placement)

    def _on_made(self, run: str, namespace: str, runs: WorkflowIndex, cluster: str) -> None:
        placement = runs.placement_of(run)
        if placement is not None:
            self._work.add_after(placement, LONGEST_MOMENT, lane=cluster, share=namespace)

    def _on_part(self, workflow: Object, _gone: bool) -> None:
        """Something has become of a chunk, and all of them together are looked at a little later."""
        whole = labels(workflow).get(SPLIT_OF)
        if whole is not None:
            self._work.add_after(whole, LONGEST_MOMENT, share=_namespace(workflow))

    def _tell(self, placement: str) -> None:
        for follower in self._followers:
            follower.look_at(placement)

    def _on_namespace(self, namespace: Object, gone: bool) -> None:
        name = namespace["metadata"]["name"]
        if not gone:
            self._look_at_namespace(name)
        # Its hold may be another one now.
        self.look_at_crons(name)

    def _look_at_namespace(self, name: str) -> None:
        self._work.add(NAMESPACE + name)

    def look_at_crons(self, namespace: str | None = None, *, sweep: bool = False) -> None:
        """Queue the CronWorkflows of a namespace, or all."""
        for found, name in self.crons.names():
            if namespace in (None, found):
                self.look_at_cron(found, name, sweep=sweep)

    def look_at_cron(self, namespace: str, name: str, *, sweep: bool = False) -> None:
        """Queue a CronWorkflow."""
        self._work.add(f"{CRON}{namespace}/{name}", lane=CRON_LANE, share=namespace, sweep=sweep)

    def _on_cron(self, cron: Object, _gone: bool) -> None:
        self.look_at_cron(_namespace(cron), cron["metadata"]["name"])


def moment_for(run: Object) -> float:
    """For how many seconds changes of a run are gathered: showing thousands of nodes takes a while each time."""
    status = status_of(run)
    nodes = len(mapping(status.get("nodes"))) or len(str(status.get("compressedNodes") or "")) // PACKED_NODE
    return min(MOMENT * (1 + nodes / MOMENT_NODES), LONGEST_MOMENT)


def _namespace(workflow: Object) -> str:
    return str(workflow["metadata"].get("namespace") or "")


def _each(*listeners: Listener) -> Listener:
    def note(workflow: Object, gone: bool) -> None:
        for listener in listeners:
            listener(workflow, gone)

    return note


def _nobody_listens(_: Object, __: bool) -> None:
    """For an informer that is only used as a cache."""


def _kept_of_agent(pod: Object) -> Object:
    """The few fields of an agent's pod that are needed: there is one such pod for each Workflow."""
    metadata = {key: pod["metadata"].get(key) for key in ("name", "namespace", "uid", "resourceVersion")}
    return {
        "metadata": {**metadata, "labels": labels(pod)},
        "spec": {"serviceAccountName": spec_of(pod).get("serviceAccountName")},
    }
