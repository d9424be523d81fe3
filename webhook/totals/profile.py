"""What a part of a Workflow needs, and how to combine parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from webhook.totals import loads
from webhook.totals.loads import NO_LOAD, Element, Load, MayFlow, Order, at_most, one_after_another, ordered, peak
from webhook.totals.model import NOTHING, Totals


@dataclass(frozen=True)
class Profile:
    """The load of CPU in thousandths of a core, and of memory in bytes.

    `left` is what keeps running after this part, until the Workflow ends: Workflows that it has created.
    """

    cpu: Load = NO_LOAD
    memory: Load = NO_LOAD
    left: Totals = NOTHING

    @property
    def totals(self) -> Totals:
        """What is needed at the peak, including everything that keeps running."""
        return Totals(peak(self.cpu), peak(self.memory)) + self.left

    def leaving(self, left: Totals) -> "Profile":
        """The same profile, with this `left`."""
        return replace(self, left=left)


IDLE = Profile()
Parts = Sequence[tuple[Profile, int]]
"""Profiles, and how many there are of each."""


def in_turn(works: Iterable[Profile]) -> Profile:
    """The profile of parts that never overlap."""
    every = list(works)
    return Profile(
        one_after_another(one.cpu for one in every),
        one_after_another(one.memory for one in every),
        _left((one, 1) for one in every),
    )


def side_by_side(parts: Parts, pods: int | None) -> Profile:
    """The profile of parts that may all overlap, with at most `pods` pods; no limit if None."""
    return Profile(
        loads.side_by_side([(one.cpu, count) for one, count in parts], pods),
        loads.side_by_side([(one.memory, count) for one, count in parts], pods),
        _left(parts),
    )


def woven(
    tasks: Sequence[Parts], before: Sequence[int], *, pods: int | None, children: int | None, may_flow: MayFlow
) -> Profile:
    """The profile of tasks, where `before[i]` has bit j set if task j ends before task i begins.

    At most `pods` pods of the Workflow and `children` children of the template run at once; no limit if None.
    """
    order = Order(before)
    cpu = [Element(tuple((one.cpu, count) for one, count in parts)) for parts in tasks]
    memory = [Element(tuple((one.memory, count) for one, count in parts)) for parts in tasks]
    left = _left(part for parts in tasks for part in parts)
    return Profile(
        _bounded(cpu, order, pods, children, may_flow), _bounded(memory, order, pods, children, may_flow), left
    )


def _bounded(
    elements: Sequence[Element], order: Order, pods: int | None, children: int | None, may_flow: MayFlow
) -> Load:
    load = ordered(elements, order, pods, may_flow)
    if children is None or sum(count for one in elements for _, count in one.parts) <= children:
        return load
    # A template's `parallelism` counts a child once, however many pods it has.
    units = [Element(tuple(((peak(part),), count) for part, count in one.parts if part)) for one in elements]
    return at_most(load, peak(ordered(units, order, children, may_flow)))


def _left(parts: Iterable[tuple[Profile, int]]) -> Totals:
    total = NOTHING
    for one, count in parts:
        if one.left != NOTHING:
            total = total + Totals(one.left.cpu_milli * count, one.left.memory_bytes * count)
    return total
