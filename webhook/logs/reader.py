"""Finds the pod behind a mirrored one, and opens its log on the target."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from webhook.errors import ClusterUnavailable, Missing, NotThere, Rejected
from webhook.kube.client import Cluster
from webhook.kube.log_stream import LogStream
from webhook.kube.registry import Registry
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.logs.node import node_name
from webhook.logs.options import Options
from webhook.model.contract import ARGO_WORKFLOW, MIRRORED, MIRRORED_POD, MIRRORED_UID, PLACEMENT
from webhook.model.limits.logs import LOG_AGAIN, LOG_SILENCE, LONGEST_CONTAINER_START, LONGEST_LOG_SILENCE
from webhook.model.objects import Object, annotations, labels, mappings

_STARTING = re.compile("is waiting to start: (ContainerCreating|PodInitializing)")


@dataclass(frozen=True)
class Source:
    """The pod on a target behind a mirrored pod at the front door, and the names of its containers."""

    cluster: Cluster
    namespace: str
    pod: str
    containers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """Reads logs from targets."""

    front: Cluster
    registry: Registry
    pool: Pool

    def find(self, namespace: str, name: str) -> Source:
        """The pod behind a mirrored pod. Raises Missing if there is none.

        Others can write mirrored pods too, so everything in one is checked against the ledger and the target: it only
        gives access to pods of Workflows that were placed from its own namespace.
        """
        shown = self.front.find(PODS, namespace, name)
        if shown is None:
            raise Missing(f"there is no pod {namespace}/{name} at the front door")
        marks, told = labels(shown), annotations(shown)
        cluster, placement = marks.get(MIRRORED, ""), marks.get(PLACEMENT, "")
        if not cluster or shown["spec"].get("nodeName") != node_name(cluster):
            raise Missing(f"the pod {namespace}/{name} stands for none on a target")
        row = placements.get(self.pool, placement)
        if row is None or row.run_uid is None or (row.namespace, row.cluster) != (namespace, cluster):
            raise Missing(f"the pod {namespace}/{name} belongs to no Workflow that Medea has placed on {cluster}")
        target, wanted = self.registry.get(cluster), told.get(MIRRORED_POD, "")
        found = _pod_of_run(target, namespace, wanted, row)
        if found is None or found["metadata"]["uid"] != told.get(MIRRORED_UID):
            raise Missing(f"the pod {wanted} is gone from {cluster}, and its log with it")
        return Source(target, namespace, wanted, _containers(found))

    def open(self, source: Source, options: Options, still_wanted: Callable[[], bool]) -> LogStream | None:
        """The log; None as soon as `still_wanted` is false. Raises any error of the target."""
        patience = LOG_SILENCE if options.follow else LONGEST_LOG_SILENCE
        started = time.monotonic()
        while still_wanted():
            try:
                log = source.cluster.open_log(
                    source.namespace, source.pod, options.query, patience=patience, follow=options.follow
                )
            except NotThere as error:
                raise Missing(
                    f"the pod {source.pod} is gone from {source.cluster.name}, and its log with it"
                ) from error
            except Rejected as error:
                early = time.monotonic() - started < LONGEST_CONTAINER_START
                if not (options.follow and early and _STARTING.search(error.message)):
                    raise
                time.sleep(LOG_AGAIN)
                continue
            if log is not None:
                return log
            if not options.follow:
                raise ClusterUnavailable(f"{source.cluster.name} has sent nothing of the log for {patience:.0f} s")
        return None


def _pod_of_run(target: Cluster, namespace: str, name: str, row: Placement) -> Object | None:
    pod = target.find(PODS, namespace, name)
    if pod is None or labels(pod).get(ARGO_WORKFLOW) != row.run_name:
        return None
    if row.run_uid in (owner.get("uid") for owner in mappings(pod["metadata"].get("ownerReferences"))):
        return pod
    # A pod that the run has made itself; or one of a Workflow that got the run's name when that was gone.
    run = target.find(WORKFLOWS, namespace, str(row.run_name))
    return pod if run is not None and run["metadata"]["uid"] == row.run_uid else None


def _containers(pod: Object) -> tuple[str, ...]:
    spec = pod["spec"]
    return tuple(str(one["name"]) for one in (*spec["containers"], *(spec.get("initContainers") or ())))
