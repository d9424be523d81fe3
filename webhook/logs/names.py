"""Names of mirrored pods. Pure.

`argo get`, Argo's UI and `argo retry` compute the name of a node's pod from the Workflow, so a mirrored pod must have
exactly that name.
"""

from collections.abc import Mapping
from typing import Any

from webhook.model.contract import ARGO_POD_NAMES
from webhook.model.nodes import fnv32a
from webhook.model.objects import Metadata

# A name has at most 253 characters, of which the hyphen and up to ten digits of the hash are needed.
_LONGEST_PREFIX = 242


def pod_name(workflow: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """The name Argo computes for the pod of a node in `workflow`."""
    metadata: Metadata = workflow["metadata"]
    if (metadata.get("annotations") or {}).get(ARGO_POD_NAMES) == "v1":
        return str(node["id"])
    if node["name"] == metadata["name"]:
        return str(metadata["name"])
    template = node.get("templateName") or (node.get("templateRef") or {}).get("template")
    prefix = f"{metadata['name']}-{template}" if template else str(metadata["name"])
    return f"{prefix[:_LONGEST_PREFIX]}-{fnv32a(node['name'])}"
