"""What a pod of a run is called at the front door. Pure.

`argo get`, Argo's UI and `argo retry` never look for a node's pod: they compute its name from what the Workflow shows,
and a mirrored pod must have that very name.
"""

from collections.abc import Mapping
from typing import Any

from webhook.model.contract import ARGO_POD_NAMES
from webhook.model.nodes import fnv32a

# 253 characters for a name, less ten digits of the hash and the hyphen before them.
_LONGEST_PREFIX = 242


def pod_name(workflow: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """The name Argo computes for the pod of a node that `workflow` shows."""
    metadata = workflow["metadata"]
    if (metadata.get("annotations") or {}).get(ARGO_POD_NAMES) == "v1":
        return str(node["id"])
    if node["name"] == metadata["name"]:
        return str(metadata["name"])
    template = node.get("templateName") or (node.get("templateRef") or {}).get("template")
    prefix = f"{metadata['name']}-{template}" if template else str(metadata["name"])
    return f"{prefix[:_LONGEST_PREFIX]}-{fnv32a(node['name'])}"
