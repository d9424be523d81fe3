"""How many items the next chunk has. Pure.

The Workflow's items are cut from their beginning, so that `cut` of them are in chunks and the others still can go
wherever there is room by then.
"""

from collections.abc import Mapping

from webhook.model.limits.splitting import MOST_CHUNKS
from webhook.splitting.asked import Asked
from webhook.totals.model import Totals

Span = tuple[int, int]
"""The position of the first item, and how many."""


def next_sizes(asked: Asked, *, items: int, cut: int, rooms: Mapping[str, int | None]) -> list[int]:
    """The sizes of the chunks that may be cut next, `cut` of `items` being cut by now; empty if none are left.

    `rooms` are how many items fit into each target now, None for any number.
    """
    if cut >= items:
        return []
    if asked.chunks is None:
        return _by_room(items, cut, rooms)
    chunks = min(asked.chunks, items)
    # The bounds are items * k / chunks, rounded down: sizes differ by one at most.
    number = -(-cut * chunks // items)
    return [items * (number + 1) // chunks - cut]


def room_of(free: Totals, need: Totals) -> int | None:
    """How many items fit, each of which needs `need`; None if they need nothing that counts."""
    rooms = [
        max(0, have) // want
        for have, want in ((free.cpu_milli, need.cpu_milli), (free.memory_bytes, need.memory_bytes))
        if want > 0
    ]
    return min(rooms) if rooms else None


def spans_of(positions: list[int]) -> list[Span]:
    """Positions, in ascending order, as spans."""
    spans: list[Span] = []
    for position in positions:
        if spans and sum(spans[-1]) == position:
            spans[-1] = spans[-1][0], spans[-1][1] + 1
        else:
            spans.append((position, 1))
    return spans


def positions_of(spans: list[Span]) -> list[int]:
    """The positions in spans, in their order."""
    return [position for first, size in spans for position in range(first, first + size)]


def _by_room(items: int, cut: int, rooms: Mapping[str, int | None]) -> list[int]:
    """One chunk for each target with room, the roomiest first; or one that waits.

    Each has half of its target's share of what is left at most, so that what is slow, or late, does not hold up the
    rest; and as many items that MOST_CHUNKS is not reached.
    """
    least, targets = -(-2 * items // MOST_CHUNKS), max(1, len(rooms))
    sizes: list[int] = []
    for room in sorted((one for one in rooms.values() if one != 0), key=lambda one: items if one is None else one)[
        ::-1
    ]:
        left = items - cut - sum(sizes)
        if left:
            share = max(least, -(-left // (2 * targets)))
            sizes.append(min(left, max(least, share if room is None else min(share, room))))
    left = items - cut
    return sizes or [min(left, max(least, -(-left // (4 * targets))))]
