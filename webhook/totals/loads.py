"""How much may run at once, given what waits for what. Exact, or an upper bound where the docstring says so.

A load is the most of one resource that 1, 2, 3 … pods may use at the same time: a rising tuple whose last entry is the
peak. Without a limit on pods only the peak matters, and the tuple has just that entry.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice, repeat

from webhook.model.limits.admission import WEIGH_DEEPEST_ORDER, WEIGH_MOST_TRIED
from webhook.totals.antichain import heaviest

Load = tuple[int, ...]
NO_LOAD: Load = ()

MayFlow = Callable[[int, int], bool]
"""Takes a number of tasks and a number of flows: whether that many flows may be computed. Flows are slow, and needed
only for tasks that are neither independent parts nor a sequence; without them the result is an upper bound."""


@dataclass(frozen=True)
class Element:
    """One element of an order. Its `parts` run in parallel: each is a load and how many there are of it."""

    parts: tuple[tuple[Load, int], ...]


def peak(load: Load) -> int:
    """The most of the resource that is ever used at once."""
    return load[-1] if load else 0


def one_after_another(loads: Iterable[Load]) -> Load:
    """The load of parts that never overlap."""
    found = [load for load in loads if load]
    longest = max(map(len, found), default=0)
    return tuple(max(load[min(pods, len(load) - 1)] for load in found) for pods in range(longest))


def side_by_side(parts: Iterable[tuple[Load, int]], limit: int | None) -> Load:
    """The load of parts that may all overlap, with at most `limit` pods; no limit if None.

    With a limit this is an upper bound: each part's gains are first smoothed so that they fall.
    """
    kinds = [(load, count) for load, count in parts if load and count > 0]
    if not kinds:
        return NO_LOAD
    if limit is None:
        return (sum(peak(load) * count for load, count in kinds),)
    gains = sorted(_gains(kinds, limit), reverse=True)
    return tuple(accumulate(islice(gains, limit)))


@dataclass(frozen=True)
class Parts:
    """A part of an order: `inner` parts that may all overlap (`beside`), or that never do (a row)."""

    inner: tuple["Tree", ...]
    beside: bool


@dataclass(frozen=True)
class Tangle:
    """Elements that fall into no parts."""

    members: tuple[int, ...]


Tree = int | Parts | Tangle
"""How an order is taken apart; a number is a single element."""


class Order:
    """What waits for what. `before[i]` has bit j set when j has ended for certain before i begins."""

    def __init__(self, before: Sequence[int]) -> None:
        self.before = before
        self.related = [early | late for early, late in zip(before, _turned(before), strict=True)]

    @cached_property
    def tree(self) -> Tree:
        """How it is taken apart: once for all resources, since this takes the most time in a large order."""
        return self._tree((1 << len(self.before)) - 1, 0)

    def _tree(self, members: int, depth: int) -> Tree:
        if members and members & (members - 1) == 0:
            return members.bit_length() - 1
        if depth < WEIGH_DEEPEST_ORDER:
            for adjacent, beside in ((self.related, True), ([~one for one in self.related], False)):
                parts = list(_parts(members, adjacent))
                if len(parts) > 1:
                    return Parts(tuple(self._tree(part, depth + 1) for part in parts), beside)
        return Tangle(tuple(_bits(members)))


def ordered(elements: Sequence[Element], order: Order, limit: int | None, may_flow: MayFlow) -> Load:
    """The load of elements under an order, with at most `limit` pods."""
    loads = [side_by_side(one.parts, limit) for one in elements]
    return _Weighing(loads, order, limit, may_flow).load(order.tree) if elements else NO_LOAD


def at_most(load: Load, ceiling: int) -> Load:
    """The load, capped at `ceiling`."""
    return tuple(min(value, ceiling) for value in load)


@dataclass(frozen=True)
class _Weighing:
    loads: list[Load]
    order: Order
    limit: int | None
    may_flow: MayFlow

    def load(self, tree: Tree) -> Load:
        """The load of a part of the order: parts side by side add up, of those in a row the largest counts."""
        if isinstance(tree, int):
            return self.loads[tree]
        if isinstance(tree, Tangle):
            return self._woven(list(tree.members))
        loads = [self.load(one) for one in tree.inner]
        return side_by_side([(load, 1) for load in loads], self.limit) if tree.beside else one_after_another(loads)

    def _woven(self, members: list[int]) -> Load:
        everything = side_by_side([(self.loads[one], 1) for one in members], self.limit)
        prices = [0] if self.limit is None else _prices([self.loads[one] for one in members], len(members))
        if not self.may_flow(len(members), len(prices)):
            rows = _rows(members, self.order.before)
            bound = side_by_side([(one_after_another(self.loads[one] for one in row), 1) for row in rows], self.limit)
            return tuple(map(min, everything, _stretched(bound, len(everything))))
        where = {one: place for place, one in enumerate(members)}
        before = [sum(1 << where[low] for low in _bits(self.order.before[one]) if low in where) for one in members]
        if self.limit is None:
            return (heaviest([peak(self.loads[one]) for one in members], before),)
        best = list(everything)
        for price in prices:
            worth = heaviest([_worth(self.loads[one], price) for one in members], before)
            for pods in range(len(best)):
                best[pods] = min(best[pods], worth + price * (pods + 1))
        return tuple(best)


def _gains(kinds: Iterable[tuple[Load, int]], limit: int) -> Iterator[int]:
    for load, count in kinds:
        for gain in _falling(load):
            yield from repeat(gain, min(count, limit))


def _falling(load: Load) -> list[int]:
    """The gain of each further pod, smoothed so that gains never rise. Their sums are never below the load."""
    blocks: list[tuple[int, int]] = []
    last = 0
    for value in load:
        total, length = value - last, 1
        last = value
        while blocks and blocks[-1][0] * length < total * blocks[-1][1]:
            more, longer = blocks.pop()
            total, length = total + more, length + longer
        blocks.append((total, length))
    # The remainder of a block goes to its first pods, so that no partial sum falls below the load.
    return [gain for total, length in blocks for gain in _even(total, length)]


def _even(total: int, length: int) -> list[int]:
    each, rest = divmod(total, length)
    return [each + 1] * rest + [each] * (length - rest)


def _worth(load: Load, price: int) -> int:
    return max((0, *(value - price * (pods + 1) for pods, value in enumerate(load))))


def _prices(loads: Iterable[Load], tasks: int) -> list[int]:
    most = max(2, WEIGH_MOST_TRIED // tasks)
    gains = sorted({gain for load in loads for gain in _falling(load)})
    return [0, *gains[:: max(1, -(-len(gains) // most))]]


def _parts(members: int, adjacent: Sequence[int]) -> Iterator[int]:
    """The connected components among the members."""
    while members:
        part = edge = members & -members
        while edge:
            reached = 0
            for one in _bits(edge):
                reached |= adjacent[one]
            edge = reached & members & ~part
            part |= edge
        yield part
        members &= ~part


def _rows(members: Iterable[int], before: Sequence[int]) -> list[list[int]]:
    """Split the members greedily into chains, in which each element has ended before the next begins."""
    rows: list[list[int]] = []
    for one in sorted(members, key=lambda member: before[member].bit_count()):
        row = next((row for row in rows if before[one] >> row[-1] & 1), None)
        if row is None:
            rows.append([one])
        else:
            row.append(one)
    return rows


def _stretched(load: Load, length: int) -> Load:
    return load + (peak(load),) * (length - len(load))


def _turned(before: Sequence[int]) -> list[int]:
    """The transposed bit matrix. Done on strings: a thousand tasks may have half a million set bits."""
    rows = [format(mask, f"0{len(before)}b") for mask in before]
    return [int("".join(column)[::-1], 2) for column in zip(*rows, strict=True)][::-1]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
