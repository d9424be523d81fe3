"""Objects of odd shapes, as anybody with a right to create Workflows can make them: metadata is always well-formed."""

import copy
from typing import Any

from webhook.model.contract import PLACEMENT, VERBS

Object = dict[str, Any]


def poisoned(shape: int, living: list[Object]) -> Object:
    """One of ten shapes. It may carry what Medea writes on living origins: people copy objects."""
    shapes: list[Object] = [
        {"status": {"phase": ["Failed"]}},
        {"status": "what"},
        {"spec": [], "status": {"phase": {"a": 1}, "nodes": []}},
        {"spec": "none", "status": {"phase": "Failed", "finishedAt": "yesterday"}},
        {"spec": {"ttlStrategy": {"secondsAfterCompletion": "soon"}}, "status": {"phase": "Failed", "finishedAt": 7}},
        {"status": {"phase": "Succeeded", "nodes": {"a": None, "b": [1], "c": {"children": 3, "outputs": []}}}},
        {"status": {"compressedNodes": 17, "conditions": [None, 3], "outputs": {"parameters": "x"}}},
        {"status": {"phase": 3, "startedAt": {}, "storedWorkflowTemplateSpec": []}},
        {"spec": {"suspend": "yes", "shutdown": 3, "arguments": []}, "status": None},
        {"spec": {"templates": 3, "arguments": {"parameters": [None, {"name": 3}]}}, "status": {"nodes": {"x": 3}}},
    ]
    made = copy.deepcopy({"spec": {"entrypoint": "main"}, **shapes[shape % len(shapes)]})
    annotations = {VERBS: '[{"retry": 3}]', "medea.dev/step": f"poison-{shape}"}
    labels = {"medea.dev/parent-uid": "x"}
    namespace = "other"
    if living:
        copied = (living[shape % len(living)]["metadata"].get("annotations") or {}).get(PLACEMENT)
        if copied:
            annotations[PLACEMENT] = copied
            labels[PLACEMENT] = copied
    owners = [{"apiVersion": "v1", "kind": "Workflow", "name": "x", "uid": "x"}]
    metadata = {"name": f"poison-{shape}", "namespace": namespace, "labels": labels, "annotations": annotations}
    return {**made, "metadata": {**metadata, "ownerReferences": owners}}
