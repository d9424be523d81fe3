"""What an origin shows of its chunks, with either hold. Pure."""

from collections.abc import Sequence

from webhook.controller.origin_status import full, stub
from webhook.controller.origin_status.graft import graft
from webhook.controller.splits.known import Known
from webhook.model.contract import Hold
from webhook.model.objects import Object
from webhook.splitting.nodes import End, Shown, shown_status

_GRAFT = "chunks"
"""What is shown beside the node `placement` of a stub, where a run would have its target's name."""


def running_patch(known: Known) -> Object:
    """The patch that shows how far all is; empty if it is shown already."""
    run = _as_run(known)
    if known.row.hold is Hold.NONE:
        return full.running_patch(known.origin, known.row, run)
    return stub.running_patch(known.origin, known.row, graft(run, origin_name=known.name, cluster=_GRAFT))


def outcome_of(known: Known, end: End) -> Object:
    """What the ledger keeps of the end."""
    run = _as_run(known, end)
    if known.row.hold is Hold.NONE:
        return full.outcome_of(run, known.name, "")
    return stub.outcome_of(run, graft(run, origin_name=known.name, cluster=_GRAFT))


def _as_run(known: Known, end: End | None = None) -> Object:
    """The whole as if it were one run; its own spec says what people do to it."""
    chunks: Sequence[Shown] = [
        Shown(
            one.number,
            one.name,
            one.spans,
            one.size,
            one.done,
            one.cluster,
            one.phase or ("Running" if one.begun_at else None),
            one.message,
            one.begun_at,
            one.ended_at,
        )
        for one in known.chunks
    ]
    split = known.split
    status = shown_status(known.name, known.fanout, chunks, items=split.items, since=split.created_at, end=end)
    return {"metadata": {"name": known.name}, "spec": full.steered(known.origin), "status": status}
