"""How an origin shows its chunks: as nodes, each under its target, with what is done of it. Pure.

The nodes are those of a Workflow that runs nowhere as a whole, in Argo's format; what is made of them for either hold
is made as for a run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from webhook.model.limits.splitting import MOST_SPANS
from webhook.model.moments import written
from webhook.model.nodes import Nodes, id_of
from webhook.model.objects import Object
from webhook.splitting.cut import Span
from webhook.splitting.gather import Left, entrypoint_outputs, gathered
from webhook.splitting.progress import percent, total_done
from webhook.splitting.shape import Fanout

WAITING = "waiting"
"""The node above chunks that have no target yet."""


@dataclass(frozen=True)
class Shown:
    """A chunk. `phase` is None until its Workflow says one; `size` and `done` are items."""

    number: int
    name: str
    spans: tuple[Span, ...]
    size: int
    done: int
    cluster: str | None
    phase: str | None
    message: str | None
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class End:
    """How the whole has ended, and what its items have left, in their order; None if nothing is gathered."""

    phase: str
    message: str
    at: datetime
    left: Sequence[Left] | None


def shown_status(
    name: str, fanout: Fanout, chunks: Sequence[Shown], *, items: int, since: datetime, end: End | None = None
) -> Object:
    """The status, in Argo's format, of a Workflow called `name`, of whose `items` some are in chunks by now."""
    done = total_done(chunks)
    phase, finished = (end.phase, written(end.at)) if end else ("Running", None)
    common: Object = {
        "phase": phase,
        "startedAt": written(since),
        "finishedAt": finished,
        "progress": f"{done}/{items}",
    }
    nodes = _tree(name, fanout, chunks, common, _words(chunks, items, done), end)
    outputs = entrypoint_outputs(fanout, end.left) if end and end.left is not None else {}
    if outputs:
        nodes[name]["outputs"] = outputs
    return {
        **common,
        "message": end.message if end else None,
        "nodes": nodes,
        **({"outputs": outputs} if outputs else {}),
        "conditions": [
            {"type": "PodRunning", "status": "False"},
            *([{"type": "Completed", "status": "True"}] if end else []),
        ],
    }


def span_words(spans: Iterable[Span]) -> str:
    """Positions as people read them: `items 0-19, 25`; the first ones, if there are many."""
    every = list(spans)
    shown = [str(first) if size == 1 else f"{first}-{first + size - 1}" for first, size in every[:MOST_SPANS]]
    return "items " + ", ".join(shown) + (", …" if len(every) > MOST_SPANS else "")


def _tree(name: str, fanout: Fanout, chunks: Sequence[Shown], common: Object, words: str, end: End | None) -> Nodes:
    top = f"{name}.{fanout.step}"
    targets = sorted({one.cluster or WAITING for one in chunks})
    nodes = [
        _node(name, name, name, "DAG", common, [id_of(name, top)]) | {"templateName": fanout.entrypoint},
        _node(name, top, fanout.step, "TaskGroup", common, [id_of(name, f"{top}.{one}") for one in targets])
        | {"message": words, "outputs": gathered(end.left) if end and end.left is not None else {}},
    ]
    for target in targets:
        inside = [one for one in chunks if (one.cluster or WAITING) == target]
        nodes.append(_target(name, f"{top}.{target}", target, inside))
        nodes += [_chunk(name, f"{top}.{target}", one) for one in inside]
    return {node["id"]: node for node in nodes}


def _target(workflow: str, path: str, target: str, chunks: Sequence[Shown]) -> Object:
    done, size = total_done(chunks), sum(one.size for one in chunks)
    phases = {one.phase for one in chunks}
    live = phases - {"Succeeded", "Failed", "Error"}
    begun = [one.begun_at for one in chunks if one.begun_at]
    ended = [one.ended_at for one in chunks if one.ended_at]
    phase = "Pending" if live and not begun else "Running" if live else _worst(phases)
    about = {
        "phase": phase,
        "startedAt": written(min(begun)) if begun else None,
        "finishedAt": None if live or not ended else written(max(ended)),
        "progress": f"{done}/{size}",
        "message": f"{done} of {size} items done ({percent(done, size)}%)",
    }
    ids = [id_of(workflow, f"{path}.{one.number}") for one in chunks]
    return _node(workflow, path, target, "TaskGroup", about, ids)


def _chunk(workflow: str, path: str, chunk: Shown) -> Object:
    words = f"{span_words(chunk.spans)}: {chunk.done} of {chunk.size} done ({percent(chunk.done, chunk.size)}%)"
    about = {
        "phase": chunk.phase or "Pending",
        "startedAt": written(chunk.begun_at) if chunk.begun_at else None,
        "finishedAt": written(chunk.ended_at) if chunk.ended_at else None,
        "progress": f"{chunk.done}/{chunk.size}",
        "message": f"{words}; {chunk.message}" if chunk.message else words,
    }
    return _node(workflow, f"{path}.{chunk.number}", chunk.name, "DAG", about, [])


def _node(workflow: str, path: str, shown: str, kind: str, about: Object, children: list[str]) -> Object:
    boundary = {} if path == workflow else {"boundaryID": workflow}
    below = {"children": children} if children else {}
    return {"id": id_of(workflow, path), "name": path, "displayName": shown, "type": kind, **boundary, **about, **below}


def _words(chunks: Sequence[Shown], items: int, done: int) -> str:
    uncut = items - sum(one.size for one in chunks)
    rest = f", {uncut} of them in no chunk yet" if uncut else ""
    return f"{done} of {items} items done ({percent(done, items)}%) in {len(chunks)} chunks{rest}"


def _worst(phases: set[str | None]) -> str:
    return next((one for one in ("Error", "Failed") if one in phases), "Succeeded")
