"""What an origin shows of its run, depending on its hold. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from webhook.controller.origin_status import full, stub
from webhook.controller.origin_status.graft import graft
from webhook.controller.origin_status.merge import merge_patch
from webhook.ledger.placement import Placement
from webhook.model.contract import REASON, Hold
from webhook.model.moments import written
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object, mapping, status_of
from webhook.model.subworkflows import ended

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIMES = ("startedAt", "finishedAt")

NO_TREE = "its nodes are not shown: the front door refuses them"
"""What is shown in the place of a run's nodes."""


def running_patch(origin: Object, row: Placement, run: Object | None) -> Object:
    """The patch that shows a live placement on its origin; empty if it is shown already."""
    if row.hold is Hold.NONE:
        return full.running_patch(origin, row, run)
    patch = stub.running_patch(origin, row, _graft(run, row) if run else {}, run)
    return patch | (stub.suspension_patch(origin, run) if run else {})


def away_patch(origin: Object, words: str) -> Object:
    """The patch that shows since when the target is away; empty if it is shown already. Nothing else changes."""
    metadata = merge_patch(origin["metadata"], {"annotations": {REASON: words}})
    return {"metadata": metadata} if metadata else {}


def final_patch(origin: Object, row: Placement, outcome: Mapping[str, Any], run: Object | None) -> Object:
    """The patch that ends the origin as its run ended; empty if it has ended so already."""
    if row.hold is Hold.NONE:
        return full.final_patch(origin, row, outcome, run)
    return stub.final_patch(origin, row, outcome, run)


def without_tree(run: Object) -> Object:
    """The run with one node instead of all, which says so, for when the front door refuses to show them.

    They may be too many for one object, or not of the shape that its schema wants.
    """
    name, status = run["metadata"]["name"], status_of(run)
    known: Object = {"phase": status.get("phase"), "message": NO_TREE}
    known |= {key: status[key] for key in _TIMES if _is_time(status.get(key))}
    node = {"id": name, "name": name, "displayName": name, "type": "DAG", **known}
    return {**run, "status": {**known, "nodes": {name: node}}}


def says_no_tree(origin: Object) -> bool:
    """Whether an origin shows that its run's nodes are left out."""
    return any(node.get("message") == NO_TREE for node in nodes_of(origin).values())


def bare_end(patch: Object, row: Placement) -> Object:
    """The part of a final patch that says that and how it ended, for when the whole patch is refused.

    A target may store what the front door's schema refuses, so only fields of a certain shape are left.
    """
    status = mapping(patch.get("status"))
    moment = written(row.ended_at or row.created_at)
    times = {key: status[key] if _is_time(status[key]) else moment for key in _TIMES if key in status}
    completed = [{"type": "PodRunning", "status": "False"}, {"type": "Completed", "status": "True"}]
    return {**patch, "status": {"phase": row.phase or "Error", **times, "conditions": completed}}


def outcome_of(run: Object, row: Placement) -> Object:
    """What the ledger keeps of a run that has ended or is being deleted; `final_patch` takes it later."""
    if row.hold is Hold.NONE:
        return full.outcome_of(run, str(row.name), str(row.cluster))
    nodes = _graft(run, row)
    return stub.outcome_of(run, nodes) if ended(run) else stub.cut_short(run, nodes)


def shown_ids(run: Object, row: Placement) -> dict[str, str]:
    """For every node of the run, its id at the origin mapped to its id at the run."""
    return full.shown_ids(run, str(row.name)) if row.hold is Hold.NONE else stub.shown_ids(run)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _graft(run: Object, row: Placement) -> dict[str, Object]:
    return graft(run, origin_name=str(row.name), cluster=str(row.cluster))
