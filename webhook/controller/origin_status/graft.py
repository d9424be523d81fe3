"""The graft: the run's nodes, as they are shown inside the origin's `status.nodes`. Pure.

Each node keeps its shape and gets an id and a name of its own. The run's root hangs under the origin's root, where
`argo get` shows it beside the node `placement`, under the target's name.
"""

from collections.abc import Mapping
from typing import Any

from webhook.model.contract import GRAFTED
from webhook.model.nodes import REFERENCES, Nodes, is_over, nodes_or_note, references

Node = dict[str, Any]

_KEPT = (
    "displayName",
    "type",
    "templateName",
    "phase",
    "message",
    "startedAt",
    "finishedAt",
    "estimatedDuration",
    "progress",
    "resourcesDuration",
    "inputs",
    "outputs",
    "hostNodeName",
    "nodeFlag",
)


def graft(run: Mapping[str, Any], *, origin_name: str, cluster: str) -> Nodes:
    """The nodes to show, by id, for a run's whole object; empty while the run has none."""
    run_name = run["metadata"]["name"]
    return {
        GRAFTED + node_id: _grafted(node_id, node, run_name=run_name, origin_name=origin_name, cluster=cluster)
        for node_id, node in nodes_or_note(run, cluster).items()
    }


def graft_root(run_name: str) -> str:
    """The id of the graft's root: the run's root node has the run's name for an id."""
    return GRAFTED + run_name


def _grafted(node_id: str, node: Node, *, run_name: str, origin_name: str, cluster: str) -> Node:
    root = node_id == run_name
    name = str(node.get("name", node_id))
    grafted: Node = {key: node[key] for key in _KEPT if key in node}
    grafted |= {key: [GRAFTED + other for other in references(node, key)] for key in REFERENCES if node.get(key)}
    grafted |= {
        "id": GRAFTED + node_id,
        "name": f"{origin_name}.{cluster}{name.removeprefix(run_name)}",
        "boundaryID": origin_name if root else GRAFTED + str(node.get("boundaryID", run_name)),
    }
    if root:
        grafted["displayName"] = cluster
    if grafted.get("type") == "Pod" and not is_over(grafted):
        # Argo's controller looks for the pod of a started node, finds none at the front door, and calls it deleted.
        grafted.pop("startedAt", None)
    return grafted


def origin_nodes(name: str, origin_root: Node, grafted: Nodes, root: str) -> Nodes:
    """The nodes that Medea has a say in: the graft, and the origin's own root with the graft's among its children.

    `name` is the origin's, and the id of its root.
    """
    children = [child for child in references(origin_root, "children") if not child.startswith(GRAFTED)]
    return {**grafted, name: {**origin_root, "children": [*children, *([root] if grafted else [])]}}
