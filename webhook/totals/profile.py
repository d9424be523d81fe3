"""What a part of a Workflow needs, and how to combine parts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

from webhook.totals import loads
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, Amounts, Demands, Group, Traits
from webhook.totals.loads import NO_LOAD, Element, Load, MayFlow, Order, at_most, one_after_another, ordered, peak
from webhook.totals.model import Totals
from webhook.totals.need import NO_NEED, Need
from webhook.totals.others import NO_LOADS, NO_OTHERS, Loads, Others, largest_of


@dataclass(frozen=True)
class Profile:
    """The load of CPU in thousandths of a core, and of memory in bytes.

    `left` is what keeps running after this part, until the Workflow ends: Workflows that it has created.
    """

    cpu: Load = NO_LOAD
    memory: Load = NO_LOAD
    left: Need = NO_NEED
    others: Others = NO_OTHERS

    @property
    def need(self) -> Need:
        """What is needed at the peak, including everything that keeps running."""
        found, whole = self.others, _peaks({**self.others.whole, LIMITS_CPU: self.cpu, LIMITS_MEMORY: self.memory})
        groups = {
            traits: Group(_peaks(found.kinds[traits]) if found.kinds else whole, largest)
            for traits, largest in found.largest.items()
        }
        return Need(Totals(peak(self.cpu), peak(self.memory)), Demands(groups, whole)) + self.left

    def of_kind(self, traits: Traits) -> Loads:
        """The loads of all resources that its pods of one kind use."""
        if self.others.kinds:
            return self.others.kinds.get(traits, NO_LOADS)
        if traits not in self.others.largest:
            return NO_LOADS
        return {**self.others.whole, LIMITS_CPU: self.cpu, LIMITS_MEMORY: self.memory}

    def leaving(self, left: Need) -> "Profile":
        """The same profile, with this `left`."""
        return replace(self, left=left)


IDLE = Profile()
Pick = Callable[[Profile], Load]
"""Takes one of the loads of a part."""
Parts = Sequence[tuple[Profile, int]]
"""Profiles, and how many there are of each."""


def in_turn(works: Iterable[Profile]) -> Profile:
    """The profile of parts that never overlap."""
    every = [one for one in works if one is not IDLE]
    if len(every) <= 1:
        return every[0] if every else IDLE
    return Profile(
        one_after_another(one.cpu for one in every),
        one_after_another(one.memory for one in every),
        _left((one, 1) for one in every),
        _combined(every, lambda pick: one_after_another(map(pick, every))),
    )


def side_by_side(parts: Parts, pods: int | None) -> Profile:
    """The profile of parts that may all overlap, with at most `pods` pods; no limit if None."""
    if len(parts) == 1 and parts[0][1] == 1 and pods is None:
        return parts[0][0]
    return Profile(
        loads.side_by_side([(one.cpu, count) for one, count in parts], pods),
        loads.side_by_side([(one.memory, count) for one, count in parts], pods),
        _left(parts),
        _combined(
            [one for one, count in parts if count],
            lambda pick: loads.side_by_side([(pick(one), count) for one, count in parts], pods),
        ),
    )


def woven(
    tasks: Sequence[Parts],
    before: Sequence[int],
    *,
    pods: int | None,
    children: int | None,
    may_flow: MayFlow,
    spare: MayFlow,
) -> Profile:
    """The profile of tasks, where `before[i]` has bit j set if task j ends before task i begins.

    At most `pods` pods of the Workflow and `children` children of the template run at once; no limit if None. `spare`
    says whether there is time left for flows of resources other than the limits of CPU and memory.
    """
    weighing = _Weighing(tasks, Order(before), pods, children)
    return Profile(
        weighing.load(lambda one: one.cpu, may_flow),
        weighing.load(lambda one: one.memory, may_flow),
        _left(part for parts in tasks for part in parts),
        _combined([one for parts in tasks for one, count in parts if count], lambda pick: weighing.load(pick, spare)),
    )


class _Weighing:
    """Weighs one resource of ordered tasks after the other. Many are alike: pods of one size differ in the unit."""

    def __init__(self, tasks: Sequence[Parts], order: Order, pods: int | None, children: int | None) -> None:
        self._tasks, self._order, self._pods, self._children = tasks, order, pods, children
        self._every = [one for parts in tasks for one, _ in parts]
        self._done: dict[tuple[Load, ...], Load] = {}

    def load(self, pick: Pick, may_flow: MayFlow) -> Load:
        """The load of the resource that is picked."""
        found, unit = tuple(map(pick, self._every)), 1
        if self._pods is None and self._children is None:
            # Without a limit only peaks matter, and they scale.
            unit = gcd(*map(peak, found)) or 1
            found = tuple((peak(load) // unit,) for load in found)
        if found not in self._done:
            self._done[found] = self._weighed(found, may_flow)
        return self._done[found] if unit == 1 else tuple(size * unit for size in self._done[found])

    def _weighed(self, found: Iterable[Load], may_flow: MayFlow) -> Load:
        given = iter(found)
        elements = [Element(tuple((next(given), count) for _, count in parts)) for parts in self._tasks]
        return _bounded(elements, self._order, self._pods, self._children, may_flow)


def _bounded(
    elements: Sequence[Element], order: Order, pods: int | None, children: int | None, may_flow: MayFlow
) -> Load:
    load = ordered(elements, order, pods, may_flow)
    if children is None or sum(count for one in elements for _, count in one.parts) <= children:
        return load
    # A template's `parallelism` counts a child once, however many pods it has.
    units = [Element(tuple(((peak(part),), count) for part, count in one.parts if part)) for one in elements]
    return at_most(load, peak(ordered(units, order, children, may_flow)))


def _left(parts: Iterable[tuple[Profile, int]]) -> Need:
    total = NO_NEED
    for one, count in parts:
        if one.left is not NO_NEED:
            total = total + one.left.times(count)
    return total


def of_pod(totals: Totals, amounts: Amounts, traits: Traits) -> Profile:
    """The profile of a single pod that takes these amounts of quotas."""
    others = {name: (amount,) for name, amount in amounts.items() if name not in (LIMITS_CPU, LIMITS_MEMORY)}
    return Profile((totals.cpu_milli,), (totals.memory_bytes,), others=Others(others, {traits: amounts}))


def of_need(need: Need) -> Profile:
    """The profile of pods that count as one, with no objects among what they need."""
    loads = {name: (amount,) for name, amount in need.demands.whole.items() if name not in (LIMITS_CPU, LIMITS_MEMORY)}
    groups = need.demands.groups
    kinds = {traits: {name: (amount,) for name, amount in one.peak.items()} for traits, one in groups.items()}
    others = Others(loads, {traits: one.largest for traits, one in groups.items()}, kinds if len(kinds) > 1 else {})
    return Profile((need.totals.cpu_milli,), (need.totals.memory_bytes,), others=others)


def _combined(parts: Sequence[Profile], combine: Callable[[Pick], Load]) -> Others:
    """The other loads of a whole, where `combine` makes a load of it from those of its parts."""
    largest = largest_of(one.others.largest for one in parts)
    whole = _each(
        [one.others.whole for one in parts], lambda name: combine(lambda one: one.others.whole.get(name, NO_LOAD))
    )
    if len(largest) <= 1:
        return Others(whole, largest)

    def of(traits: Traits) -> Loads:
        known = {id(one): one.of_kind(traits) for one in parts}
        return _each(known.values(), lambda name: combine(lambda one: known[id(one)].get(name, NO_LOAD)))

    return Others(whole, largest, {traits: of(traits) for traits in largest})


def _each(sides: Iterable[Loads], load: Callable[[str], Load]) -> Loads:
    return {name: load(name) for name in dict.fromkeys(name for one in sides for name in one)}


def _peaks(found: Mapping[str, Load]) -> Amounts:
    return {name: peak(load) for name, load in found.items() if peak(load)}
