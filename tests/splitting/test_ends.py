"""What counts of a chunk that has ended, and what goes elsewhere."""

from typing import Any

from tests.splitting.fanouts import item_nodes, steps
from webhook.controller.splits.ends import Seen, chunk_end
from webhook.ledger.splits import Chunk
from webhook.model.submitted_once import Become, Fate
from webhook.splitting.gather import Left
from webhook.splitting.shape import Fanout, fanout_of

Object = dict[str, Any]
STOPPED = {"phase": "Failed", "message": "workflow shutdown with strategy:  Stop"}
BROKEN = {"phase": "Failed", "message": "exit code 1"}


def chunk(size: int) -> Chunk:
    return Chunk(0, ((10, size),), "c", "u", "east", None, None, 0, True, 0, (), None, None, None)


def fanout(size: int, **step: Any) -> Fanout:
    return fanout_of(steps(withSequence={"count": str(size)}, **step))


def nodes(*ends: Object) -> dict[str, Object]:
    """A node for each item that ended so; an empty one for what has succeeded."""
    made = item_nodes("c", {one: str(one) for one in range(len(ends))})
    for node, end in zip(made.values(), ends, strict=True):
        if end:
            node.pop("outputs")
            node.update(end)
    return made


def test_an_item_that_may_fail_leaves_nothing_and_all_others_are_gathered() -> None:
    end = chunk_end(chunk(3), Become(Fate.ENDED, "Succeeded"), Seen(nodes({}, BROKEN, {}), "east"), fanout(3))
    assert end.phase == "Succeeded" and end.left[11] == Left() and set(end.left) == {10, 11, 12}


def test_what_was_stopped_goes_elsewhere_and_what_failed_by_itself_does_not() -> None:
    stop = Become(Fate.ENDED, "Failed", "Stopped with strategy 'Stop'")
    end = chunk_end(chunk(3), stop, Seen(nodes({}, BROKEN, STOPPED), "east", movable=True), fanout(3))
    assert end.phase == "Failed" and list(end.elsewhere) == [(12, 1)] and set(end.left) == {10}


def test_what_failed_and_may_fail_is_neither_moved_nor_a_failure_of_the_chunk() -> None:
    stop, may = Become(Fate.ENDED, "Failed", "Stopped with strategy 'Stop'"), fanout(3, continueOn={"failed": True})
    end = chunk_end(chunk(3), stop, Seen(nodes({}, BROKEN, STOPPED), "east", movable=True), may)
    assert end.phase == "Succeeded" and list(end.elsewhere) == [(12, 1)]
    assert end.left == {10: Left({"answer": "0"}, "0"), 11: Left()}
