"""Deletes runs, and removes Medea's finalizer. Callers make sure that a run has the placement's labels."""

from collections.abc import Iterable

from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.finalizers import allow_deletion, is_deletion_ongoing
from webhook.model.made_workflows import Made, has_artifacts_to_delete
from webhook.model.objects import Metadata, Object


def remove_run(target: Cluster, run: Object, made: Iterable[Made] | None = None) -> None:
    """Delete a run with its pods. It is gone once the target no longer finds it. `made` is what it has made, if known.

    Where there may be artifacts to delete, pods may outlive it by a moment. In the foreground the garbage collector
    would take the very pods by which Argo deletes artifacts, also those of Workflows that the run owns, and Argo, which
    makes them once, would keep it for ever.
    """
    remove_finalizer(target, run)
    metadata: Metadata = run["metadata"]
    if not is_deletion_ongoing(run):
        artifacts = made is None or has_artifacts_to_delete(run) or any(one.artifacts_to_delete for one in made)
        how = "Background" if artifacts else "Foreground"
        target.delete(WORKFLOWS, metadata["namespace"], metadata["name"], uid=metadata["uid"], propagation=how)


def remove_finalizer(cluster: Cluster, workflow: Object) -> None:
    """Remove Medea's finalizer from a Workflow. Raises Clash if it has changed since it was read."""
    patch = allow_deletion(workflow)
    if patch:
        metadata: Metadata = workflow["metadata"]
        cluster.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)
