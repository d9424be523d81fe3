"""What an origin with hold `none` shows of its run: its whole status, which only Medea writes there. Pure.

The origin has the user's own spec, so with the run's status it looks to Argo's CLI and UI like the run on its target.
"""

from collections.abc import Mapping
from typing import Any

from webhook.controller.origin_status.merge import exactly, merge_patch
from webhook.controller.origin_status.run_metadata import annotations_set, labels_set
from webhook.controller.origin_status.stub import annotations_of
from webhook.controller.template_names import own_names, renamed_nodes, renamed_rest
from webhook.ledger.placement import Placement
from webhook.model.contract import ARGO_COMPLETED, ARGO_PHASE, VERBS, State
from webhook.model.moments import written
from webhook.model.nodes import REFERENCES, Nodes, is_over, nodes_of, nodes_or_note, offloaded, pack, references
from webhook.model.objects import Object, annotations, labels, mapping, mappings, spec_of, status_of
from webhook.model.subworkflows import ended

# Refers to the database of the target's Argo. Argo at the front door lacks that entry, and would show no nodes at all.
_FOREIGN = "offloadNodeStatusVersion"
_NAMED = ("id", "name", "displayName", "boundaryID")
# The fields of a spec that Argo's CLI and controller change while a Workflow runs.
_STEERED = ("suspend", "shutdown")


def outcome_of(run: Object, origin_name: str, cluster: str) -> Object:
    """A run's status as its origin shows it: unchanged, except for names.

    The run's own is replaced by the origin's, and those of copied templates by their templates'. Offloaded nodes are
    replaced by a single node that says so.
    """
    status = {key: value for key, value in status_of(run).items() if key != _FOREIGN}
    if offloaded(run):
        status["nodes"] = nodes_or_note(run, cluster)
    if own := own_names(run):
        nodes = renamed_nodes(nodes_of({"status": status}), own)
        status = _with_nodes(status, nodes) | renamed_rest(status, own)
    run_name = run["metadata"]["name"]
    return status if run_name == origin_name else _renamed_status(status, run_name, origin_name)


def shown_ids(run: Object, origin_name: str) -> dict[str, str]:
    """For every node of the run, its id at the origin mapped to its id at the run."""
    run_name = run["metadata"]["name"]
    return {_renamed(node_id, run_name, origin_name): node_id for node_id in nodes_of(run)}


def running_patch(origin: Object, row: Placement, run: Object | None) -> Object:
    """The patch that shows a live placement on its origin; empty if it is shown already.

    Until the run has a status, the origin is Pending and says what it waits for.
    """
    shown = outcome_of(run, _name(origin), str(row.cluster)) if run else {}
    if not shown.get("phase"):
        shown |= {"phase": "Pending", "message": _waits_for(row)}
    marks = {ARGO_PHASE: str(shown["phase"]), ARGO_COMPLETED: labels(run or {}).get(ARGO_COMPLETED, "false")}
    return _patch(origin, row, marks, exactly(status_of(origin), shown), run)


def final_patch(origin: Object, row: Placement, outcome: Mapping[str, Any], run: Object | None = None) -> Object:
    """The patch that ends the origin as its run ended; empty if it has ended so already.

    `outcome` is what `outcome_of` returned when the end was seen. For a run that was deleted before its end it is the
    last known status, and without a run it is empty.
    """
    status = status_of(origin)
    last = dict(outcome) if ended({"status": dict(outcome)}) else _cut_short(outcome or status, row)
    marks = {ARGO_PHASE: last["phase"], ARGO_COMPLETED: "true"}
    return _patch(origin, row, marks, exactly(status, last), run)


def _patch(origin: Object, row: Placement, marks: Mapping[str, str], status: Object, run: Object | None) -> Object:
    notes: dict[str, str | None] = {**annotations_of(row), **annotations_set(run)}
    patch = {
        "metadata": merge_patch(origin["metadata"], {"labels": {**labels_set(run), **marks}, "annotations": notes}),
        "spec": _steered(origin, run),
        "status": merge_patch(status_of(origin), status),
    }
    return {key: value for key, value in patch.items() if value}


def _steered(origin: Object, run: Object | None) -> Object:
    """Copy `suspend` and `shutdown` from the run, unless a pending verb may be about to change them there."""
    if run is None or VERBS in annotations(origin):
        return {}
    return merge_patch(spec_of(origin), steered(run))


def steered(run: Object) -> Object:
    """What Argo's CLI and controller change in the spec of a Workflow that lives; None for what is not set."""
    spec = spec_of(run)
    return {key: spec.get(key) for key in _STEERED}


def _waits_for(row: Placement) -> str | None:
    match row.state:
        case State.QUEUED:
            return row.reason
        case State.RESERVED:
            return f"placed on {row.cluster}, where its run is about to be created"
    return f"waits for Argo's controller on {row.cluster}"


def _cut_short(last: Mapping[str, Any], row: Placement) -> Object:
    """The status of a run that did not end by itself: all nodes that were still running end with it."""
    moment = written(row.ended_at or row.created_at)
    ending = {"phase": row.phase or "Error", "message": row.message, "finishedAt": moment}
    nodes = {
        node_id: node if is_over(node) else {**node, **ending} for node_id, node in nodes_of({"status": last}).items()
    }
    known = [one for one in mappings(last.get("conditions")) if one.get("type") != "Completed"]
    stopped = [{**one, "status": "False"} if one.get("type") == "PodRunning" else one for one in known]
    return {
        **_with_nodes(last, nodes),
        **ending,
        "startedAt": last.get("startedAt") or moment,
        "conditions": [*stopped, {"type": "Completed", "status": "True"}],
    }


def _renamed_status(status: Object, old: str, new: str) -> Object:
    """The status with the origin's name in node ids and names: Argo looks up the tree's root by the Workflow's name."""
    nodes = {
        _renamed(node_id, old, new): _renamed_node(node, old, new)
        for node_id, node in nodes_of({"status": status}).items()
    }
    done = mapping(status.get("taskResultsCompletionStatus"))
    renamed_done = {_renamed(node_id, old, new): value for node_id, value in done.items()}
    changed = _with_nodes(status, nodes) | ({"taskResultsCompletionStatus": renamed_done} if done else {})
    return _with_message(changed, old, new)


def _renamed_node(node: Object, old: str, new: str) -> Object:
    changed = {**node, **{key: _renamed(node[key], old, new) for key in _NAMED if isinstance(node.get(key), str)}}
    changed |= {key: [_renamed(one, old, new) for one in references(node, key)] for key in REFERENCES if node.get(key)}
    return _with_message(changed, old, new)


def _renamed(text: str, old: str, new: str) -> str:
    return new + text.removeprefix(old) if text.startswith(old) else text


def _with_message(thing: Object, old: str, new: str) -> Object:
    """Replace the name in the message too: Argo's messages contain node ids, as in "child 'job-123' failed"."""
    message = thing.get("message")
    return {**thing, "message": message.replace(old, new)} if isinstance(message, str) else thing


def _with_nodes(status: Mapping[str, Any], nodes: Nodes) -> Object:
    """The status with other nodes, packed if the old ones were."""
    rest = {key: value for key, value in status.items() if key not in ("nodes", "compressedNodes")}
    if not nodes:
        return rest
    return {**rest, "compressedNodes": pack(nodes)} if status.get("compressedNodes") else {**rest, "nodes": nodes}


def _name(origin: Object) -> str:
    return str(origin["metadata"]["name"])
