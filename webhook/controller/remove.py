"""Deletes runs, and removes Medea's finalizer. Callers make sure that a run has the placement's labels."""

from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import ARGO_ARTIFACT_GC
from webhook.model.finalizers import allow_deletion, is_deletion_ongoing
from webhook.model.objects import Metadata, Object, texts


def remove_run(target: Cluster, run: Object) -> None:
    """Delete a run together with its pods. It is gone once the target no longer finds it.

    Pods of a run with artifacts to delete may outlive it by a moment. In the foreground the garbage collector would
    take the very pods by which Argo deletes artifacts, and Argo, which makes them once, would keep the run for ever.
    """
    remove_finalizer(target, run)
    metadata: Metadata = run["metadata"]
    if not is_deletion_ongoing(run):
        how = "Background" if ARGO_ARTIFACT_GC in texts(metadata.get("finalizers")) else "Foreground"
        target.delete(WORKFLOWS, metadata["namespace"], metadata["name"], uid=metadata["uid"], propagation=how)


def remove_finalizer(cluster: Cluster, workflow: Object) -> None:
    """Remove Medea's finalizer from a Workflow. Raises Clash if it has changed since it was read."""
    patch = allow_deletion(workflow)
    if patch:
        metadata: Metadata = workflow["metadata"]
        cluster.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)
