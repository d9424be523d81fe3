"""What a Workflow takes of quotas, for every resource that a quota can limit, and by what a quota's scopes see of pods.

Amounts are by the resource's name in a quota: CPU in thousandths of a core, all others in whole units such as bytes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from webhook.model.objects import mapping

Amounts = Mapping[str, int]
NO_AMOUNTS: Amounts = {}

LIMITS_CPU, LIMITS_MEMORY = "limits.cpu", "limits.memory"
REQUESTS_CPU, REQUESTS_MEMORY = "requests.cpu", "requests.memory"
PODS = "pods"
COUNT_WORKFLOWS = "count/workflows.argoproj.io"


@dataclass(frozen=True)
class Traits:
    """What the scopes of a quota see of a pod; None where that is not known before it runs."""

    priority: str | None = ""
    best_effort: bool | None = False
    terminating: bool | None = False
    crosses_namespaces: bool | None = False

    def common(self, other: "Traits") -> "Traits":
        """What both have in common; None where they differ."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return self if self == other else Traits(*(mine if mine == theirs else None for mine, theirs in pairs))


PLAIN = Traits()
UNKNOWN_TRAITS = Traits(None, None, None, None)

Counts = Callable[[Traits], bool]
"""Whether a quota counts pods of this kind, or may."""


@dataclass(frozen=True)
class Group:
    """The pods of one kind: the `peak` of each resource, and the `largest` amount of it in a single pod."""

    peak: Amounts
    largest: Amounts


@dataclass(frozen=True, eq=False)
class Demands:
    """`groups` are the pods, by what scopes see of them; `whole` are the peaks of all pods together.

    `objects` are held from the beginning to the end, by the VolumeAttributesClass of the claims among them.
    """

    groups: Mapping[Traits, Group] = field(default_factory=dict)
    whole: Amounts = field(default_factory=dict)
    objects: Mapping[str, Amounts] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Demands) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def peak(self, resource: str, counts: Counts) -> int:
        """The most that the pods which are counted use of a resource at once.

        Exact if all pods or those of one kind are counted, otherwise an upper bound: kinds need not peak together.
        """
        counted = [group for traits, group in self.groups.items() if counts(traits)]
        most = sum(group.peak.get(resource, 0) for group in counted)
        return min(most, self.whole.get(resource, 0))

    def largest(self, resource: str, counts: Counts) -> int:
        """The most that a single pod which is counted uses of a resource."""
        counted = (group for traits, group in self.groups.items() if counts(traits))
        return max((group.largest.get(resource, 0) for group in counted), default=0)

    def held(self, resource: str, counts: Callable[[str], bool]) -> int:
        """How many objects, or bytes of storage; `counts` takes the VolumeAttributesClass of claims."""
        return sum(amounts.get(resource, 0) for name, amounts in self.objects.items() if counts(name))

    def __add__(self, other: "Demands") -> "Demands":
        """What both need side by side."""
        if not self.groups and not self.objects:
            return other
        if not other.groups and not other.objects:
            return self
        return Demands(
            {
                traits: _beside(self.groups.get(traits), other.groups.get(traits))
                for traits in {**self.groups, **other.groups}
            },
            added(self.whole, other.whole),
            {
                name: added(self.objects.get(name, NO_AMOUNTS), other.objects.get(name, NO_AMOUNTS))
                for name in {**self.objects, **other.objects}
            },
        )

    def larger(self, other: "Demands") -> "Demands":
        """The larger of the two, for each kind of pods and each resource separately."""
        none = Group(NO_AMOUNTS, NO_AMOUNTS)
        pairs = {
            traits: (self.groups.get(traits, none), other.groups.get(traits, none))
            for traits in {**self.groups, **other.groups}
        }
        return Demands(
            {
                traits: Group(larger(one.peak, two.peak), larger(one.largest, two.largest))
                for traits, (one, two) in pairs.items()
            },
            larger(self.whole, other.whole),
            {
                name: larger(self.objects.get(name, NO_AMOUNTS), other.objects.get(name, NO_AMOUNTS))
                for name in {**self.objects, **other.objects}
            },
        )

    def times(self, count: int) -> "Demands":
        """What so many of these need side by side."""
        if count == 1:
            return self
        if count <= 0:
            return NO_DEMANDS
        return Demands(
            {traits: Group(multiplied(one.peak, count), one.largest) for traits, one in self.groups.items()},
            multiplied(self.whole, count),
            {name: multiplied(one, count) for name, one in self.objects.items()},
        )

    def as_gang(self) -> "Demands":
        """The same pods, which can run only all at once: the largest of what can run alone is all of them."""
        return Demands(
            {traits: Group(one.peak, one.peak) for traits, one in self.groups.items()}, self.whole, self.objects
        )

    @property
    def of_pods(self) -> "Demands":
        """The same without objects."""
        return Demands(self.groups, self.whole)

    def holding(self, objects: Mapping[str, Amounts]) -> "Demands":
        """The same, and these objects."""
        return self + Demands(objects=objects)

    def as_json(self) -> dict[str, Any]:
        """Plain types, for the ledger. `whole` is left out where it says nothing new."""
        groups = [
            [[one.priority, one.best_effort, one.terminating, one.crosses_namespaces], group.peak, group.largest]
            for one, group in self.groups.items()
        ]
        made: dict[str, Any] = {"groups": sorted(groups, key=str)}
        if len(groups) != 1 or self.whole != groups[0][1]:
            made["whole"] = self.whole
        return {**made, "objects": self.objects} if self.objects else made

    @cached_property
    def text(self) -> str:
        """The JSON as text: the same for the same demands."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))

    @cached_property
    def key(self) -> str:
        """A short name: the same for the same demands, and different for others."""
        return sha256(self.text.encode()).hexdigest()[:32]


NO_DEMANDS = Demands()


def demands_of(written: Any) -> Demands:
    """What `as_json` has written. Raises ValueError, TypeError or AttributeError if it is something else."""
    groups = {
        Traits(*traits): Group(_amounts(peak), _amounts(largest)) for traits, peak, largest in written.get("groups", [])
    }
    only = next(iter(groups.values())).peak if len(groups) == 1 else NO_AMOUNTS
    objects = {str(name): _amounts(one) for name, one in mapping(written.get("objects")).items()}
    return Demands(groups, _amounts(written.get("whole", only)), objects)


def one_kind(peak: Amounts, largest: Amounts | None = None, traits: Traits = PLAIN) -> Demands:
    """The demands of pods of one kind; without `largest`, of a single pod."""
    return Demands({traits: Group(peak, peak if largest is None else largest)}, peak)


def added(one: Amounts, other: Amounts) -> dict[str, int]:
    """The sum, for each resource."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def larger(one: Amounts, other: Amounts) -> Amounts:
    """The larger of the two, for each resource."""
    if one == other:
        return one
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}


def multiplied(amounts: Amounts, count: int) -> Amounts:
    """So many times as much."""
    return {name: amount * count for name, amount in amounts.items()}


def _beside(one: Group | None, other: Group | None) -> Group:
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    return Group(added(one.peak, other.peak), larger(one.largest, other.largest))


def _amounts(written: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(amount) for name, amount in written.items()}
