"""Workflows as a person types or pastes them into the editor of Argo's UI."""

import copy

from tests.end_to_end.manifests import SMALL, inline, parameters
from tests.end_to_end.objects import Object
from tests.end_to_end.verb_scenarios import ASKS, FAILS, SLEEPS
from tests.end_to_end.workspace import TEMPLATE

_NOT_PACKED: Object = {"archive": {"none": {}}}


def edited(manifest: Object, namespace: str) -> Object:
    """The editor puts the namespace in."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def choosing() -> Object:
    """A node that waits, and offers a choice: the UI shows the inputs that are named as the outputs."""
    manifest = copy.deepcopy(ASKS)
    [ask] = [one for one in manifest["spec"]["templates"] if one["name"] == "ask"]
    ask["inputs"] = {"parameters": [{"name": "answer", "default": "no", "enum": ["yes", "no"]}]}
    return manifest


def sleeping() -> Object:
    """It says when its program runs: a signal that comes before is lost on Argo."""
    manifest = copy.deepcopy(SLEEPS)
    [sleep] = [one for one in manifest["spec"]["templates"] if one["name"] == "sleep"]
    sleep["container"]["command"] = ["sh", "-c", "echo asleep; exec sleep 300"]
    return manifest


def keeping() -> Object:
    """A log and artifacts that stay when the pod is gone."""
    manifest = inline("cat /tmp/given; cp /tmp/given /tmp/made", SMALL)
    manifest["spec"] |= {"archiveLogs": True, "podGC": {"strategy": "OnPodCompletion"}}
    [main] = manifest["spec"]["templates"]
    main["inputs"] = {"artifacts": [{"name": "given", "path": "/tmp/given", "raw": {"data": "kept for later\n"}}]}
    main["outputs"] = {"artifacts": [{"name": "made", "path": "/tmp/made", **_NOT_PACKED}]}
    return manifest


def referring() -> Object:
    """A step that is a template of a WorkflowTemplate."""
    values = {"role": "guest", "cores": "0.1", "memory": "0.1g"}
    step = {
        "name": "process",
        "templateRef": {"name": TEMPLATE, "template": "process"},
        "arguments": parameters(values),
    }
    spec = {
        "entrypoint": "main",
        "arguments": parameters({"seconds": "0"}),
        "templates": [{"name": "main", "steps": [[step]]}],
    }
    metadata = {"generateName": "refers-"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


MANIFESTS = {"fails": FAILS, "sleeps": sleeping(), "asks": choosing(), "keeps": keeping(), "refers": referring()}
