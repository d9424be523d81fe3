"""`argo resubmit --memoized`: nodes that have succeeded are not run again. Pure.

The CLI copies the nodes of the old origin, including the grafted ones, into the new Workflow, renamed after it. The new
run needs them as if they had been copied from the old run.
"""

from collections.abc import Mapping

from webhook.model.contract import ARGO_PREVIOUS
from webhook.model.nodes import REFERENCES, Nodes, id_of, nodes_of, references
from webhook.model.objects import Object, mapping

_BEGINNINGS = ("", ".", "(", "[")
_OF_THE_GRAFT = ("boundaryID", "templateScope")


def memoized_nodes(nodes: Mapping[str, Object], *, name: str, cluster: str) -> Nodes:
    """The new run's nodes by id, without the stub's own. The new Workflow is `name`; its old run was on `cluster`."""
    graft = f"{name}.{cluster}"
    names = {
        node_id: name + str(node.get("name")).removeprefix(graft)
        for node_id, node in nodes.items()
        if str(node.get("name")).startswith(graft) and str(node["name"])[len(graft) : len(graft) + 1] in _BEGINNINGS
    }
    ids = {node_id: id_of(name, run_name) for node_id, run_name in names.items()}
    return {
        ids[node_id]: _node(nodes[node_id], ids[node_id], run_name, ids, name) for node_id, run_name in names.items()
    }


def own_memoized_nodes(workflow: Object) -> Nodes:
    """The nodes of a memoized resubmission that is not a copied stub; empty for others, whose status is left over."""
    labels = workflow.get("metadata", {}).get("labels") or {}
    memoized = ARGO_PREVIOUS in labels and not mapping(workflow.get("status")).get("phase")
    return nodes_of(workflow) if memoized else {}


def with_status(workflow: Object, nodes: Nodes) -> Object:
    """The Workflow with these nodes as its status, or without a status if there are none."""
    bare = {key: value for key, value in workflow.items() if key != "status"}
    return {**bare, "status": {"nodes": nodes}} if nodes else bare


def _node(node: Object, node_id: str, name: str, ids: Mapping[str, str], workflow: str) -> Object:
    kept = {key: value for key, value in node.items() if key not in _OF_THE_GRAFT and value is not None}
    kept |= {"id": node_id, "name": name}
    kept |= {key: [ids[one] for one in references(node, key) if one in ids] for key in REFERENCES if node.get(key)}
    if name == workflow:
        return {**kept, "displayName": workflow}
    return {**kept, "boundaryID": ids.get(str(node.get("boundaryID")), workflow)}
