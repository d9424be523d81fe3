"""The loads of what quotas limit beside the limits of CPU and memory, by what their scopes see of the pods."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from webhook.totals.demands import Amounts, Traits, larger
from webhook.totals.loads import Load

Loads = Mapping[str, Load]
NO_LOADS: Loads = {}


@dataclass(frozen=True)
class Others:
    """Of pods of a single kind, `whole` are the loads of all resources but the limits of CPU and memory.

    Of several kinds, `whole` are these of all of them together, and `kinds` the loads of each, of all resources.
    """

    whole: Loads = field(default_factory=dict)
    largest: Mapping[Traits, Amounts] = field(default_factory=dict)
    """What a single pod of each kind takes at most."""
    kinds: Mapping[Traits, Loads] = field(default_factory=dict)


NO_OTHERS = Others()


def largest_of(every: Iterable[Mapping[Traits, Amounts]]) -> Mapping[Traits, Amounts]:
    """What a single pod of each kind takes at most, in any of the parts."""
    found: dict[Traits, Amounts] = {}
    for one in every:
        for traits, amounts in one.items():
            there = found.get(traits)
            found[traits] = amounts if there is None or there is amounts else larger(there, amounts)
    return found
