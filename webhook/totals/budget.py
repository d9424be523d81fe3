"""How much work may go into weighing one Workflow: its submitter waits for it, and so do all other submitters."""

from collections.abc import Callable
from dataclasses import dataclass

from webhook.model.limits.admission import (
    WEIGH_DEEPEST,
    WEIGH_LIGHT_CALLS,
    WEIGH_MOST_CALLS,
    WEIGH_MOST_EXACT,
    WEIGH_MOST_FLOW,
    WEIGH_MOST_SPARE,
    WEIGH_MOST_SUMMED,
    WEIGH_SUM_SECONDS,
)


@dataclass(frozen=True)
class Budget:
    """`left` returns the seconds left; `heavy` is called once, when a Workflow turns out not to be light.

    `heavy` may block until fewer others are being weighed, and may raise to give up.
    """

    left: Callable[[], float]
    heavy: Callable[[], None]

    def to_walk(self) -> "Allowance":
        """For the walk that finds the peak. Leaves time for the sum."""
        return Allowance(self, calls=WEIGH_MOST_CALLS, keep=WEIGH_SUM_SECONDS)

    def to_sum(self) -> "Allowance":
        """For the sum of everything, used when the peak is too expensive to compute."""
        return Allowance(self, calls=WEIGH_MOST_SUMMED, keep=0.0)


class Exhausted(Exception):
    """The budget is spent; `late` is true if time ran out rather than the number of calls."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("the budget is spent")
        self.late = late


class Allowance:
    """What one attempt may spend: `calls` of templates, and time until only `keep` seconds are left."""

    def __init__(self, budget: Budget, *, calls: int, keep: float) -> None:
        self._budget, self._calls, self._keep = budget, calls, keep
        self._spent = self._flow = self._spare = self._depth = 0

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
        """Whether `times` flows of `tasks` tasks each may still be computed; if not, use an upper bound."""
        self._flow += tasks * tasks * times
        return tasks <= WEIGH_MOST_EXACT and self._flow <= WEIGH_MOST_FLOW and not self._late

    def spare_flow(self, tasks: int, times: int) -> bool:
        """The same for resources other than the limits of CPU and memory, which are not to take the time of these."""
        self._spare += tasks * tasks * times
        return tasks <= WEIGH_MOST_EXACT and self._spare <= WEIGH_MOST_SPARE and not self._late

    def enter(self) -> None:
        """Go one template deeper, including into a Workflow that a template creates. Raises Exhausted."""
        self._depth += 1
        if self._depth > WEIGH_DEEPEST:
            raise Exhausted

    def leave(self) -> None:
        """Go back up one template."""
        self._depth -= 1

    @property
    def _late(self) -> bool:
        return self._budget.left() <= self._keep
