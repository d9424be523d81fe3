"""Removes runs, and lets origins go. Only what carries the placement's labels is ever deleted."""

from typing import Any

from webhook.clusters.client import Cluster
from webhook.clusters.kinds import WORKFLOWS
from webhook.contract import FINALIZER

Object = dict[str, Any]


def remove_run(target: Cluster, run: Object) -> None:
    """Have a run deleted together with its pods. It is gone once the target no longer finds it."""
    release(target, run)
    metadata = run["metadata"]
    if "deletionTimestamp" not in metadata:
        target.delete(WORKFLOWS, metadata["namespace"], metadata["name"], uid=metadata["uid"])


def release(cluster: Cluster, workflow: Object) -> None:
    """Take Medea's finalizer off a Workflow. Raises Clash when it has changed since it was read."""
    metadata = workflow["metadata"]
    finalizers = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    patch = {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": [one for one in finalizers if one != FINALIZER],
        }
    }
    cluster.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)
