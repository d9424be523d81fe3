"""A Workflow so large that Argo packs its nodes: it is shown whole, and can be steered."""

import json

from tests.end_to_end.objects import Object, annotations, origin, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from webhook.model.nodes import nodes_of

MANY = 500
# So long that all the nodes together are more than a mebibyte.
TEXT = "so much text that it has to be packed " * 50
LARGE: Object = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "large-"},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "text", "value": TEXT}]},
        "templates": [
            {
                "name": "main",
                "steps": [
                    [
                        {
                            "name": "many",
                            "template": "moment",
                            "arguments": {"parameters": [{"name": "text", "value": "{{workflow.parameters.text}}"}]},
                            "withSequence": {"count": str(MANY)},
                        }
                    ],
                    [{"name": "ask", "template": "ask"}],
                ],
            },
            {"name": "moment", "inputs": {"parameters": [{"name": "text"}]}, "suspend": {"duration": "1"}},
            {"name": "ask", "suspend": {}},
        ],
    },
}


def test_five_hundred_packed_nodes_are_shown_and_steered(workspace: Workspace) -> None:
    created = workspace.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(LARGE)).ok()
    name = str(json.loads(created.out)["metadata"]["name"])

    def asked() -> bool:
        nodes = nodes_of(origin(workspace.name, name)).values()
        return any(node["displayName"] == "ask" and node["phase"] == "Running" for node in nodes)

    eventually(asked, "the last node is shown at the front door", within=240)
    shown = origin(workspace.name, name)
    run = workflow(annotations(shown)["cluster"], workspace.name, name)
    assert run is not None
    assert run["status"].get("compressedNodes") and shown["status"].get("compressedNodes")
    names = [node["displayName"] for node in nodes_of(shown).values()]
    assert sum(one.startswith("many(") for one in names) == MANY
    assert len(workspace.argo("get", name).ok().out.splitlines()) > MANY

    def resumed() -> bool:
        ran = workspace.argo("resume", name)
        # The front door's Argo controller notes the time in a plugin's node at each look, and looks again when that has
        # changed: with so large an object and a busy machine, once a second. After five conflicts argo gives up.
        assert ran.code == 0 or "timed out waiting for the condition" in ran.said, ran.said
        return ran.code == 0

    eventually(resumed, "it is resumed")
    workspace.wait(name).ok()
    phases = {node["phase"] for node in nodes_of(origin(workspace.name, name)).values()}
    assert phases == {"Succeeded"}
