"""The graft: the run's nodes as shown in the origin's `status.nodes`. Pure.

The nodes keep their structure but get new ids and names. The run's root becomes a child of the origin's root, where
`argo get` shows it beside the node `placement`, under the target's name.
"""

from collections.abc import Mapping
from typing import Any

from webhook.controller.origin_status.templates import shown_template
from webhook.controller.template_names import own_names, renamed_said
from webhook.model.contract import GRAFTED
from webhook.model.nodes import REFERENCES, Nodes, is_over, nodes_or_note, references

Node = dict[str, Any]

_KEPT = (
    "displayName",
    "type",
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
    "podIP",
    "memoizationStatus",
    "synchronizationStatus",
    "nodeFlag",
)


def graft(run: Mapping[str, Any], *, origin_name: str, cluster: str) -> Nodes:
    """The nodes to show for a run, by id; empty while it has none."""
    run_name, own = run["metadata"]["name"], own_names(run)
    return {
        GRAFTED + node_id: _grafted(node_id, node, run_name=run_name, origin_name=origin_name, cluster=cluster)
        | renamed_said(node, own)
        for node_id, node in nodes_or_note(run, cluster).items()
    }


def graft_root(run_name: str) -> str:
    """The id of the graft's root. In Argo, the id of a root node is its Workflow's name."""
    return GRAFTED + run_name


def _grafted(node_id: str, node: Node, *, run_name: str, origin_name: str, cluster: str) -> Node:
    root = node_id == run_name
    name = str(node.get("name", node_id))
    grafted: Node = {key: node[key] for key in _KEPT if key in node}
    grafted |= {key: [GRAFTED + other for other in references(node, key)] for key in REFERENCES if node.get(key)}
    grafted |= shown_template(node)
    grafted |= {
        "id": GRAFTED + node_id,
        "name": f"{origin_name}.{cluster}{name.removeprefix(run_name)}",
        "boundaryID": origin_name if root else GRAFTED + str(node.get("boundaryID", run_name)),
    }
    if root:
        grafted["displayName"] = cluster
    if grafted.get("type") == "Pod" and not is_over(grafted):
        # For a started node, Argo's controller at the front door would look for a pod, and then mark it as deleted.
        grafted.pop("startedAt", None)
    return grafted


def origin_nodes(name: str, origin_root: Node, grafted: Nodes, root: str) -> Nodes:
    """The nodes that Medea manages: the graft, and the origin's root with the graft's root as a child.

    `name` is the origin's name, which is also the id of its root.
    """
    children = [child for child in references(origin_root, "children") if not child.startswith(GRAFTED)]
    return {**grafted, name: {**origin_root, "children": [*children, *([root] if grafted else [])]}}
