"""What a verb changes on a run. Pure.

Each patch may be repeated after it was lost or half done: it sets the wanted state, and only of nodes that are still as
the person saw them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webhook.model.contract import ARGO_COMPLETED, ARGO_PHASE
from webhook.model.finalizers import block_deletion
from webhook.model.moments import written
from webhook.model.nodes import REFERENCES, Nodes, nodes_of, pack, references
from webhook.model.objects import Object, mapping, mappings, spec_of, status_of
from webhook.model.subworkflows import ended
from webhook.model.verbs import Verb

_ARCHIVING = "workflows.argoproj.io/workflow-archiving-status"


@dataclass(frozen=True)
class Steering:
    """A merge patch for the run, and the nodes whose pods must be deleted before it.

    If the patch is empty there is nothing to do: the verb was applied already, or `too_late` says why it can't be.
    """

    patch: Object
    doomed: frozenset[str] = frozenset()
    too_late: str | None = None


def steering(run: Object, verb: Verb, ids: Mapping[str, str], *, now: datetime) -> Steering:
    """How to apply `verb` to `run`. `ids` maps a node's id at the origin to its id at the run."""
    if verb.retry:
        return _retried(run, verb, ids, now)
    spec, nodes = spec_of(run), nodes_of(run)
    wanted: Object = {"shutdown": verb.shutdown} if verb.shutdown else {}
    if verb.suspend is not None:
        wanted |= {"suspend": True if verb.suspend else None}
    changed = {key: value for key, value in wanted.items() if spec.get(key) != value}
    here = {ids[shown]: edit for shown, edit in verb.edits.items() if shown in ids}
    due = {node_id: edit.fields for node_id, edit in here.items() if nodes[node_id].get("phase") == edit.phase}
    if not changed and not due:
        over = any(nodes[node_id].get("phase") != edit.fields.get("phase") for node_id, edit in here.items())
        return Steering({}, too_late="the run had gone on meanwhile" if over else None)
    if ended(run):
        return Steering({}, too_late="the run had ended")
    patch: Object = {"spec": changed} if changed else {}
    if due:
        patch["status"] = {**_nodes_patch(run, nodes, due, frozenset(), ids), **_outputs(run, verb)}
    return Steering(patch)


def _retried(run: Object, verb: Verb, ids: Mapping[str, str], now: datetime) -> Steering:
    assert verb.retry is not None
    status, name = status_of(run), run["metadata"]["name"]
    if not ended(run) or status.get("finishedAt") != verb.retry.ended:
        return Steering({})
    nodes = nodes_of(run)
    # The exit handler must run again. `argo retry` does not remove it at the origin, where its name has another form.
    removed = {ids[shown] for shown in verb.removed if shown in ids}
    removed |= {node_id for node_id, node in nodes.items() if str(node.get("name")).startswith(f"{name}.onExit")}
    edits = {
        ids[shown]: edit.fields for shown, edit in verb.edits.items() if shown in ids and ids[shown] not in removed
    }
    stored = status.get("storedWorkflowTemplateSpec")
    again: Object = {
        # None, as Argo 4's own retry leaves it. Where a controller still has the end in its hands it forgets that the
        # Workflow may go on; it takes up one without a phase again, and never one that is said to be running.
        "phase": None,
        "message": None,
        "startedAt": written(now),
        "finishedAt": None,
        "persistentVolumeClaims": None,
        "conditions": _not_completed(status),
        **_nodes_patch(run, nodes, edits, frozenset(removed), ids),
    }
    spec: Object = {"shutdown": None, "suspend": None}
    if verb.retry.parameters:
        spec["arguments"] = {"parameters": _parameters(spec_of(run), verb.retry.parameters)}
    if stored:
        again["storedWorkflowTemplateSpec"] = spec
    metadata = {
        "labels": {ARGO_COMPLETED: None, _ARCHIVING: None, ARGO_PHASE: "Running"},
        # It was removed when the end was in the ledger; now there will be another end.
        "finalizers": block_deletion(run["metadata"].get("finalizers")),
    }
    doomed = frozenset(node_id for node_id in removed if nodes[node_id].get("type") == "Pod")
    return Steering({"metadata": metadata, "spec": spec, "status": again}, doomed)


def _nodes_patch(
    run: Object, nodes: Nodes, edits: Mapping[str, Mapping[str, Any]], removed: frozenset[str], ids: Mapping[str, str]
) -> Object:
    """The patch of the run's nodes within `status`, plain or packed as they are in the run."""
    changes = {node_id: _in_run_ids(fields, ids) for node_id, fields in edits.items()}
    if not status_of(run).get("compressedNodes"):
        return {"nodes": {**changes, **dict.fromkeys(removed)}}
    left = {node_id: {**node, **changes.get(node_id, {})} for node_id, node in nodes.items() if node_id not in removed}
    return {"nodes": None, "compressedNodes": pack({node_id: _present(node) for node_id, node in left.items()})}


def _in_run_ids(fields: Mapping[str, Any], ids: Mapping[str, str]) -> Object:
    changed = dict(fields)
    for key in REFERENCES:
        if key in changed:
            changed[key] = [ids[shown] for shown in references(fields, key) if shown in ids]
    return changed


def _present(node: Object) -> Object:
    return {key: value for key, value in node.items() if value is not None}


def _outputs(run: Object, verb: Verb) -> Object:
    if not verb.outputs:
        return {}
    outputs = mapping(status_of(run).get("outputs"))
    names = [one.get("name") for one in verb.outputs]
    others = [one for one in mappings(outputs.get("parameters")) if one.get("name") not in names]
    return {"outputs": {**outputs, "parameters": [*others, *verb.outputs]}}


def _parameters(spec: Object, changed: Mapping[str, Any]) -> list[Object]:
    given = mappings(mapping(spec.get("arguments")).get("parameters"))
    others = [one for one in given if one.get("name") not in list(changed)]
    return [*({"name": name, "value": value} for name, value in changed.items()), *others]


def _not_completed(status: Object) -> list[Object]:
    others = [one for one in mappings(status.get("conditions")) if one.get("type") != "Completed"]
    return [*others, {"type": "Completed", "status": "False"}]
