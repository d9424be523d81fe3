"""Computes what a submitted Workflow needs, and reads templates whose names come from parameters on the way."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

from webhook.admission.gather import Gathered
from webhook.errors import Busy, Refused, Unavailable
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import WEIGH_BUDGET, WEIGH_MOST_AT_ONCE, WEIGH_MOST_CONFIGS
from webhook.references.sources import NO_VALUES, Values, with_values
from webhook.totals.argo_config import UNKNOWN_CONFIG, ArgoConfig
from webhook.totals.budget import Budget
from webhook.totals.model import NO_DEFAULTS, Defaults
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.shape import Name, Spec

GatherMore = Callable[[Gathered, set[Name], Deadline], Gathered]
ConfigsOf = Callable[[str], Collection[ArgoConfig]]
"""Takes a target; returns the configurations of the Argo controllers there, none if they are not known."""


@dataclass(frozen=True)
class Weighed:
    """The requirements, and all templates that they were computed from."""

    need: Requirements
    found: Gathered


class Scales:
    """Weighs Workflows: light ones at once, and at most `most` heavy ones at a time."""

    def __init__(self, most: int = WEIGH_MOST_AT_ONCE) -> None:
        self._heavy = threading.BoundedSemaphore(most)

    def weigh(
        self,
        spec: Spec,
        found: Gathered,
        more: GatherMore,
        defaults: Sequence[Defaults],
        latest: Deadline,
        values: Values = NO_VALUES,
    ) -> Weighed:
        """The requirements of a spec: the largest of those with any of `defaults`, since its target is not known yet.

        `values` are those that its parameters have from ConfigMaps.

        Raises Refused for what can't be read or is too large, and Unavailable if time runs out.
        """
        deadline = latest.within(WEIGH_BUDGET)
        # What only targets' own defaults name is theirs: a template of that name here may be another one.
        looked_for = {name for one in defaults for name in one.argo.refers_to}
        with _Turn(self._heavy, deadline) as turn:
            budget = Budget(left=lambda: deadline.left, heavy=turn.take)
            while True:
                need = _largest(with_values(spec, values), _with_values(found, values), defaults, budget)
                missing = set(need.missing) - looked_for
                if not missing:
                    return Weighed(need, found)
                looked_for |= missing
                found = more(found, missing, deadline)


def what_targets_add(by_target: Mapping[str, Defaults], configs: ConfigsOf) -> list[Defaults]:
    """What may be added to a Workflow, given the LimitRange defaults of each target that it may go to.

    Of these, the largest of all targets always. Of the configurations of Argo each that there is, up to
    WEIGH_MOST_CONFIGS: what is larger with one of them may be smaller with another.
    """
    worst = reduce(Defaults.larger, by_target.values(), NO_DEFAULTS)
    found = dict.fromkeys(one for target in sorted(by_target) for one in configs(target) or (UNKNOWN_CONFIG,))
    return [replace(worst, argo=one) for one in [*found][:WEIGH_MOST_CONFIGS]] or [worst]


def _with_values(found: Gathered, values: Values) -> Gathered:
    return replace(found, library={name: with_values(one, values) for name, one in found.library.items()})


def _largest(spec: Spec, found: Gathered, defaults: Sequence[Defaults], budget: Budget) -> Requirements:
    first, *others = defaults
    need = _needed(spec, found, first, budget)
    for one in others:
        try:
            need = need.larger(_needed(spec, found, one, budget))
        except Unavailable:
            # With one of them it was weighed in time, and nothing would change at the next try.
            note = "it is too large to be weighed with the configuration of Argo of every target"
            return replace(need, notes=(*need.notes, note))
    return need


def _needed(spec: Spec, found: Gathered, defaults: Defaults, budget: Budget) -> Requirements:
    try:
        return requirements_of(spec, found.library, defaults, budget)
    except Refused as error:
        if not defaults.argo.defaults:
            raise
        # It may be the target's defaults that can't be read: for that nobody is refused.
        plain = replace(defaults, argo=replace(defaults.argo, defaults={}))
        need = requirements_of(spec, found.library, plain, budget)
        note = f"the workflowDefaults of a target can't be counted: {error.message}"
        return replace(need, notes=(*need.notes, note))


class _Turn:
    """A slot for a heavy Workflow: taken when it is needed, and given back at the end."""

    def __init__(self, places: threading.BoundedSemaphore, deadline: Deadline) -> None:
        self._places, self._deadline = places, deadline
        self._taken = False

    def take(self) -> None:
        """Wait for a slot, unless it has one already. Raises Busy if none becomes free in time."""
        if self._taken:
            return
        if not self._places.acquire(timeout=max(0.0, self._deadline.left)):
            raise Busy("several Workflows as large as this one are being weighed at this moment; try again")
        self._taken = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._taken:
            self._places.release()
