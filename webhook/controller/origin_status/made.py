"""Shows the Workflows that a run has made on its target: as nodes beneath its root. Pure.

They are no Workflows at the front door: there a selector of somebody's would find them, and Argo would run them.
"""

from collections.abc import Sequence

from webhook.model.limits.controller import MADE_SHOWN
from webhook.model.made_workflows import Made
from webhook.model.nodes import Nodes, is_over, nodes_of, pack, references
from webhook.model.objects import Object, status_of

_KEPT = ("phase", "progress", "startedAt", "finishedAt")


def with_made(run: Object, made: Sequence[Made], *, cluster: str, over: bool = False) -> Object:
    """The run with a node for each Workflow that it has made; without nodes of its own it stays as it is.

    `over` is whether the run has ended, after which nothing is shown any more: a node that seemed to run would keep
    `argo retry` from doing anything.
    """
    nodes, name = nodes_of(run), run["metadata"]["name"]
    if not made or name not in nodes:
        return run
    shown = {f"{name}-made-{one.uid}": _node(one, name, cluster, over=over) for one in made[:MADE_SHOWN]}
    if len(made) > MADE_SHOWN:
        more = f"{len(made) - MADE_SHOWN} more Workflows on {cluster}"
        shown[f"{name}-made-more"] = _base(name, "more", more) | {"message": more, "phase": "Skipped"}
    for node_id, node in shown.items():
        node["id"] = node_id
    root = nodes[name]
    every = {**nodes, name: {**root, "children": [*references(root, "children"), *shown]}, **shown}
    return {**run, "status": _with_nodes(status_of(run), every)}


def _node(one: Made, run: str, cluster: str, *, over: bool) -> Object:
    known = {key: one.status[key] for key in _KEPT if one.status.get(key)}
    phase, said = known.get("phase") or "Pending", one.status.get("message")
    words = f"made on {cluster}" + (f": {said}" if said else "")
    if over and not is_over({"phase": phase}):
        known, phase, words = {}, "Skipped", f"{words}; it was {phase} when this Workflow ended"
    return _base(run, one.name, f"Workflow {one.name}") | known | {"phase": phase, "message": words}


def _base(run: str, name: str, shown: str) -> Object:
    # Of this type Argo looks for no pod, and `argo retry` never runs it again.
    return {"name": f"{run}.{name}", "displayName": shown, "type": "DAG", "boundaryID": run}


def _with_nodes(status: Object, nodes: Nodes) -> Object:
    if status.get("nodes"):
        return {**status, "nodes": nodes}
    return {**status, "compressedNodes": pack(nodes)}
