"""Computes what a submitted Workflow needs, and reads templates whose names come from parameters on the way."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from webhook.admission.gather import Gathered
from webhook.errors import Busy
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import WEIGH_BUDGET, WEIGH_MOST_AT_ONCE
from webhook.references.sources import NO_VALUES, Values, with_values
from webhook.totals.budget import Budget
from webhook.totals.model import Defaults
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.shape import Name, Spec

GatherMore = Callable[[Gathered, set[Name], Deadline], Gathered]


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
        defaults: Defaults,
        latest: Deadline,
        values: Values = NO_VALUES,
    ) -> Weighed:
        """The requirements of a spec, whose parameters have these `values` from ConfigMaps.

        Raises Refused for what can't be read or is too large, and Unavailable if time runs out.
        """
        deadline = latest.within(WEIGH_BUDGET)
        looked_for: set[Name] = set()
        with _Turn(self._heavy, deadline) as turn:
            budget = Budget(left=lambda: deadline.left, heavy=turn.take)
            while True:
                library = {name: with_values(one, values) for name, one in found.library.items()}
                need = requirements_of(with_values(spec, values), library, defaults, budget)
                missing = set(need.missing) - looked_for
                if not missing:
                    return Weighed(need, found)
                looked_for |= missing
                found = more(found, missing, deadline)


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
