"""What may be spent on weighing one Workflow: whoever submitted it waits, and so does everybody else meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

from webhook.model.limits import (
    WEIGH_DEEPEST,
    WEIGH_LIGHT_CALLS,
    WEIGH_MOST_CALLS,
    WEIGH_MOST_EXACT,
    WEIGH_MOST_FLOW,
    WEIGH_MOST_SUMMED,
    WEIGH_SUM_SECONDS,
)


@dataclass(frozen=True)
class Budget:
    """`left` tells how many seconds are left; `heavy` is called once when a Workflow turns out to be no light one.

    `heavy` may wait until fewer others are being weighed, and may raise to give up.
    """

    left: Callable[[], float]
    heavy: Callable[[], None]

    def to_walk(self) -> "Allowance":
        """For the walk that finds the peak. It leaves time for the sum."""
        return Allowance(self, calls=WEIGH_MOST_CALLS, keep=WEIGH_SUM_SECONDS)

    def to_sum(self) -> "Allowance":
        """For the sum of everything, which is taken instead of a peak that is too dear."""
        return Allowance(self, calls=WEIGH_MOST_SUMMED, keep=0.0)


class Exhausted(Exception):
    """More than that would be needed; `late` says that time ran out, and not the number of calls."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("the budget is spent")
        self.late = late


class Allowance:
    """Counts what one attempt has spent: `calls` of templates, and seconds until `keep` of them are left."""

    def __init__(self, budget: Budget, *, calls: int, keep: float) -> None:
        self._budget, self._calls, self._keep = budget, calls, keep
        self._spent = self._flow = self._depth = 0

    def spend(self, calls: int = 1) -> None:
        """Count some calls. Raises Exhausted."""
        was_light = self._spent <= WEIGH_LIGHT_CALLS
        self._spent += calls
        if self._spent > self._calls:
            raise Exhausted
        if was_light and self._spent > WEIGH_LIGHT_CALLS:
            self._budget.heavy()
        if self._late:
            raise Exhausted(late=True)

    def flow(self, tasks: int, times: int) -> bool:
        """Whether so many flows of so many tasks may still be computed; if not, a bound has to do."""
        self._flow += tasks * tasks * times
        return tasks <= WEIGH_MOST_EXACT and self._flow <= WEIGH_MOST_FLOW and not self._late

    def enter(self) -> None:
        """One template deeper; also into a Workflow that a template creates. Raises Exhausted."""
        self._depth += 1
        if self._depth > WEIGH_DEEPEST:
            raise Exhausted

    def leave(self) -> None:
        """One template less deep."""
        self._depth -= 1

    @property
    def _late(self) -> bool:
        return self._budget.left() <= self._keep
