"""Patches origins without overwriting changes by others."""

from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.objects import Metadata, Object


def patch_origin(front: Cluster, origin: Object, patch: Object) -> None:
    """Patch exactly the version that was read, so that nothing Argo has written since is overwritten.

    Raises Conflict if the origin has changed.
    """
    metadata: Metadata = origin["metadata"]
    patch = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": metadata["resourceVersion"]}}
    front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], patch)
