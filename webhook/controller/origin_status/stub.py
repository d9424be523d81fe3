"""What an origin with hold `plugin`, whose spec is a stub, shows of its run. Pure."""

from collections.abc import Mapping
from typing import Any

from webhook.controller.origin_status.graft import graft_root, origin_nodes
from webhook.controller.origin_status.merge import exactly, merge_patch
from webhook.controller.origin_status.run_metadata import annotations_set, labels_set
from webhook.controller.origin_status.templates import stored_as, stored_templates
from webhook.ledger.placement import Placement
from webhook.model.contract import (
    ARGO_COMPLETED,
    ARGO_PHASE,
    CLUSTER,
    GRAFTED,
    REASON,
    STATE,
    TOTALS,
    State,
)
from webhook.model.moments import written
from webhook.model.nodes import Nodes, is_large, nodes_of, pack
from webhook.model.objects import Object, annotations, mapping, mappings, spec_of, status_of

_RUN_STATUS = (
    "phase",
    "message",
    "startedAt",
    "finishedAt",
    "progress",
    "outputs",
    "resourcesDuration",
    "estimatedDuration",
    "conditions",
    "artifactRepositoryRef",
)
_AT_THE_END = ("finishedAt", "progress", "outputs", "resourcesDuration")


def outcome_of(run: Object, grafted: Nodes) -> Object:
    """What the ledger keeps of a run's end: its status in Argo's format, with the nodes already grafted."""
    status = status_of(run)
    return {**{key: status[key] for key in _RUN_STATUS if key in status}, **cut_short(run, grafted)}


def cut_short(run: Object, grafted: Nodes) -> Object:
    """What it keeps of a run that is being deleted before its end."""
    return {"nodes": grafted, "storedTemplates": stored_templates(run, grafted, {})}


def annotations_of(row: Placement) -> dict[str, str | None]:
    """The origin's annotations for a row; None for those to be removed."""
    waiting = row.state is State.QUEUED
    return {
        STATE: row.word,
        CLUSTER: row.cluster,
        TOTALS: str(row.totals),
        REASON: row.reason if waiting or (row.state is State.ENDED and not row.cluster) else None,
    }


def running_patch(origin: Object, row: Placement, grafted: Nodes, run: Object | None = None) -> Object:
    """The patch that shows a live placement on its origin; empty if it is shown already."""
    waits = {REASON: _postponed(row, run)} if run else {}
    notes = {**_present(origin, annotations_of(row) | waits), **annotations_set(run)}
    metadata = merge_patch(origin["metadata"], _filled({"labels": labels_set(run), "annotations": notes}))
    patch: Object = {"metadata": metadata} if metadata else {}
    root = nodes_of(origin).get(_name(origin))
    if root is not None and grafted:
        status = _nodes_patch(origin, origin_nodes(_name(origin), root, grafted, _graft_root(origin, row)))
        templates = stored_templates(run, grafted, _known_templates(status_of(origin))) if run else {}
        status |= {"storedTemplates": templates} if templates else {}
        if status:
            patch["status"] = status
    return patch


def suspension_patch(origin: Object, run: Object) -> Object:
    """The patch that shows whether the whole run is suspended; empty if it is shown already."""
    suspended = bool(spec_of(run).get("suspend"))
    if suspended == bool(spec_of(origin).get("suspend")):
        return {}
    return {"spec": {"suspend": True if suspended else None}}


def shown_ids(run: Object) -> dict[str, str]:
    """For every node of the run, its id at the origin mapped to its id at the run."""
    return {GRAFTED + node_id: node_id for node_id in nodes_of(run)}


def final_patch(origin: Object, row: Placement, outcome: Mapping[str, Any], run: Object | None = None) -> Object:
    """The patch that ends the origin as its run ended; empty if it has ended so already.

    Argo's controller never changes a Workflow that has ended, so the result stays.
    """
    status = status_of(origin)
    phase = row.phase or "Error"
    ended: Object = {
        "phase": phase,
        "message": row.message,
        "startedAt": status.get("startedAt") or outcome.get("startedAt") or _ended_at(row, outcome),
        **{key: outcome.get(key) for key in _AT_THE_END},
        "finishedAt": _ended_at(row, outcome),
        "conditions": _conditions(outcome.get("conditions") or status.get("conditions")),
    }
    metadata = {
        "labels": {**labels_set(run), ARGO_COMPLETED: "true", ARGO_PHASE: phase},
        "annotations": {**_present(origin, annotations_of(row)), **annotations_set(run)},
    }
    patch: Object = {"metadata": merge_patch(origin["metadata"], metadata), "status": merge_patch(status, ended)}
    patch["status"] |= _nodes_patch(origin, _final_nodes(origin, row, outcome))
    patch["status"] |= _artifacts_patch(status, outcome)
    return {key: value for key, value in patch.items() if value}


def _final_nodes(origin: Object, row: Placement, outcome: Mapping[str, Any]) -> Object:
    """The graft, and the stub's own nodes as ended: its root, and the task that waited for the run."""
    name = _name(origin)
    ending = {"phase": row.phase, "finishedAt": _ended_at(row, outcome), "message": row.message}
    root = nodes_of(origin).get(name) or {
        "id": name,
        "name": name,
        "displayName": name,
        "type": "DAG",
        "templateName": "medea",
        "startedAt": outcome.get("startedAt") or _ended_at(row, outcome),
    }
    nodes = origin_nodes(name, root, nodes_of({"status": outcome}), _graft_root(origin, row))
    nodes[name] |= {**ending, "outputs": _outputs(outcome), "progress": outcome.get("progress")}
    where = f"ran on {row.cluster}" if row.cluster else "ran nowhere"
    for node_id, node in nodes_of(origin).items():
        if node_id != name and not node_id.startswith(GRAFTED):
            nodes[node_id] = {**node, **ending, "message": row.message or where}
    return nodes


def _nodes_patch(origin: Object, desired: Object) -> Object:
    """The patch of `status` that leads to the `desired` nodes. Other grafted nodes are removed, all others stay."""
    status, current = status_of(origin), nodes_of(origin)
    ours = {node_id: node for node_id, node in current.items() if node_id in desired or node_id.startswith(GRAFTED)}
    patch = merge_patch(ours, exactly(ours, desired))
    if not patch:
        return {}
    whole = {**{node_id: node for node_id, node in current.items() if node_id not in ours}, **desired}
    if is_large(whole):
        return {"nodes": None, "compressedNodes": pack(whole)}
    return {"nodes": patch} if status.get("nodes") else {"nodes": whole, "compressedNodes": None}


def _artifacts_patch(status: Object, outcome: Mapping[str, Any]) -> Object:
    """What argo-server needs to find artifacts, including archived logs: the run's repository and the nodes' templates.

    It refuses if it does not know a node's template, and the stub has none of the run's. A name is enough, where no
    more was kept. What is stored already stays: Argo's controller may have written it in another form since.
    """
    kept, known = mapping(outcome.get("storedTemplates")), _known_templates(status)
    named = {stored_as(node): node.get("templateName") for node in nodes_of({"status": outcome}).values()}
    missing = sorted(named.keys() - known.keys() - {""})
    wanted: Object = (
        {"storedTemplates": {key: kept.get(key, {"name": named[key]}) for key in missing}} if missing else {}
    )
    store = mapping(outcome.get("artifactRepositoryRef"))
    if store:
        wanted["artifactRepositoryRef"] = exactly(mapping(status.get("artifactRepositoryRef")), store)
    return merge_patch(status, wanted)


def _known_templates(status: Object) -> Object:
    return mapping(status.get("storedTemplates"))


def _name(origin: Object) -> str:
    return str(origin["metadata"]["name"])


def _graft_root(origin: Object, row: Placement) -> str:
    return graft_root(row.run_name or _name(origin))


def _outputs(outcome: Mapping[str, Any]) -> Any:
    """The outputs of the run's root, which become those of the origin's root."""
    grafted = nodes_of({"status": outcome}).values()
    roots = [node for node in grafted if not str(node.get("boundaryID")).startswith(GRAFTED)]
    return roots[0].get("outputs") if roots else None


def _ended_at(row: Placement, outcome: Mapping[str, Any]) -> str:
    if outcome.get("finishedAt"):
        return str(outcome["finishedAt"])
    return written(row.ended_at or row.created_at)


def _conditions(given: Any) -> list[Object]:
    others = [one for one in mappings(given) if one.get("type") not in ("Completed", "PodRunning")]
    return [{"type": "PodRunning", "status": "False"}, *others, {"type": "Completed", "status": "True"}]


def _postponed(row: Placement, run: Object) -> str | None:
    """Why the target's Argo lets a run wait that has begun nothing yet: its parallelism, or a lock."""
    status = status_of(run)
    message = status.get("message")
    waits = status.get("phase") == "Pending" and isinstance(message, str) and message
    return f"{row.cluster}: {message}" if waits else None


def _filled(metadata: Mapping[str, Object]) -> Object:
    return {key: value for key, value in metadata.items() if value}


def _present(origin: Object, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """The annotations, without removals of ones that the origin does not have."""
    current = annotations(origin)
    return {key: value for key, value in wanted.items() if value is not None or key in current}
