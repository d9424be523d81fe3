"""How a chunk, and the whole, has ended. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from webhook.ledger.splits import Chunk, ChunkEnd
from webhook.model.nodes import Nodes
from webhook.model.submitted_once import Become
from webhook.splitting.cut import positions_of, spans_of
from webhook.splitting.gather import Left, done_items, failed_items
from webhook.splitting.shape import Fanout

SHUTDOWN = ("shutdown with strategy", "Stopped with strategy")
"""What Argo says of a node that was stopped."""
_TOLD = 3
"""Chunks whose failure is told in the message of the whole."""
_BAD = ("Failed", "Error")


@dataclass(frozen=True)
class Seen:
    """What is known of a chunk's end. `nodes` are those of its Workflow, `cluster` where it ran.

    `movable` is whether what is not done of it is to go elsewhere.
    """

    nodes: Nodes
    cluster: str | None
    movable: bool = False


def chunk_end(chunk: Chunk, said: Become, seen: Seen, fanout: Fanout) -> ChunkEnd:
    """The end of a chunk whose Workflow has ended as it `said`."""
    positions = positions_of(list(chunk.spans))
    left = _left(chunk, seen.nodes, fanout, positions)
    if said.phase == "Succeeded":
        # An item that may fail has left nothing: its list is shorter, as Argo's is.
        tolerated = _failed(chunk, seen.nodes, fanout, positions, ())
        left |= {one: Left() for one in tolerated}
        return ChunkEnd("Succeeded", said.message, chunk.size, left, chunk.spans, seen.cluster)
    if not seen.movable:
        return ChunkEnd(said.phase, said.message, len(left), left, chunk.spans, seen.cluster)
    failed = _failed(chunk, seen.nodes, fanout, positions, (*SHUTDOWN, *([said.message] if said.message else [])))
    left |= {one: Left() for one, phase in failed.items() if phase in fanout.tolerated}
    rest = [one for one in positions if one not in left and one not in failed]
    own = spans_of([one for one in positions if one in left or one in failed])
    words = f"taken from {seen.cluster or 'a target that is gone'}: {len(rest)} of its items went elsewhere"
    phase = "Failed" if failed.keys() - left.keys() else "Succeeded" if own else "Omitted"
    return ChunkEnd(phase, words, len(left), left, own, seen.cluster, spans_of(rest))


def _left(chunk: Chunk, nodes: Nodes, fanout: Fanout, positions: Sequence[int]) -> dict[int, Left]:
    """What items that are done have left, by their positions in the whole."""
    found = done_items(nodes, fanout, chunk.name)
    return {positions[one]: what for one, what in found.items() if one < len(positions)}


def _failed(
    chunk: Chunk, nodes: Nodes, fanout: Fanout, positions: Sequence[int], excused: Sequence[str]
) -> dict[int, str]:
    """How items have failed, by their positions in the whole."""
    found = failed_items(nodes, fanout, chunk.name, excused)
    return {positions[one]: phase for one, phase in found.items() if one < len(positions)}


def whole_phase(chunks: Sequence[Chunk]) -> str:
    """The phase of the whole, all of whose chunks have ended."""
    phases = {one.phase for one in chunks}
    return next((one for one in _BAD if one in phases), "Succeeded")


def whole_message(chunks: Sequence[Chunk], items: int) -> str:
    """What is said of it."""
    bad = [one for one in chunks if one.phase in _BAD]
    if not bad:
        where = Counter(one.cluster or "nowhere" for one in chunks)
        return f"{items} items in {len(chunks)} chunks: {', '.join(f'{name} {where[name]}' for name in sorted(where))}"
    told = "; ".join(f"{one.name}{f' on {one.cluster}' if one.cluster else ''}: {_why(one)}" for one in bad[:_TOLD])
    return f"{len(bad)} of {len(chunks)} chunks did not succeed: {told}{'; …' if len(bad) > _TOLD else ''}"


def _why(chunk: Chunk) -> str:
    return chunk.message or str(chunk.phase)
