"""What an origin shows of its run, depending on its hold. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from webhook.controller.origin_status import full, stub
from webhook.controller.origin_status.graft import graft
from webhook.controller.origin_status.merge import merge_patch
from webhook.ledger.placement import Placement
from webhook.model.contract import REASON, Hold
from webhook.model.objects import Object, mapping
from webhook.model.subworkflows import ended

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIMES = ("startedAt", "finishedAt")


def running_patch(origin: Object, row: Placement, run: Object | None) -> Object:
    """The patch that shows a live placement on its origin; empty if it is shown already."""
    if row.hold is Hold.NONE:
        return full.running_patch(origin, row, run)
    patch = stub.running_patch(origin, row, _graft(run, row) if run else {})
    return patch | (stub.suspension_patch(origin, run) if run else {})


def away_patch(origin: Object, words: str) -> Object:
    """The patch that shows since when the target is away; empty if it is shown already. Nothing else changes."""
    metadata = merge_patch(origin["metadata"], {"annotations": {REASON: words}})
    return {"metadata": metadata} if metadata else {}


def final_patch(origin: Object, row: Placement, outcome: Mapping[str, Any], run: Object | None) -> Object:
    """The patch that ends the origin as its run ended; empty if it has ended so already."""
    if row.hold is Hold.NONE:
        return full.final_patch(origin, row, outcome, run)
    return stub.final_patch(origin, row, outcome)


def bare_end(patch: Object, row: Placement) -> Object:
    """The part of a final patch that says that and how it ended, for when the whole patch is refused.

    A target may store what the front door's schema refuses, so only fields of a certain shape are left.
    """
    status = mapping(patch.get("status"))
    moment = (row.ended_at or row.created_at).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = {key: status[key] if _is_time(status[key]) else moment for key in _TIMES if key in status}
    completed = [{"type": "PodRunning", "status": "False"}, {"type": "Completed", "status": "True"}]
    return {**patch, "status": {"phase": row.phase or "Error", **times, "conditions": completed}}


def outcome_of(run: Object, row: Placement) -> Object:
    """What the ledger keeps of a run that has ended or is being deleted; `final_patch` takes it later."""
    if row.hold is Hold.NONE:
        return full.outcome_of(run, str(row.name), str(row.cluster))
    nodes = _graft(run, row)
    return stub.outcome_of(run, nodes) if ended(run) else {"nodes": nodes}


def shown_ids(run: Object, row: Placement) -> dict[str, str]:
    """For every node of the run, its id at the origin mapped to its id at the run."""
    return full.shown_ids(run, str(row.name)) if row.hold is Hold.NONE else stub.shown_ids(run)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _graft(run: Object, row: Placement) -> dict[str, Object]:
    return graft(run, origin_name=str(row.name), cluster=str(row.cluster))
