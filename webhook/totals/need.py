"""What a Workflow or a part of it needs: its totals, which people see, and what it takes of every kind of quota."""

from dataclasses import dataclass

from webhook.totals.demands import NO_DEMANDS, Demands
from webhook.totals.model import NOTHING, Totals


@dataclass(frozen=True)
class Need:
    """The `totals` are the limits of CPU and memory of all pods; they are among the `demands` as well."""

    totals: Totals = NOTHING
    demands: Demands = NO_DEMANDS

    def __add__(self, other: "Need") -> "Need":
        return Need(self.totals + other.totals, self.demands + other.demands)

    def times(self, count: int) -> "Need":
        """What so many of these need side by side."""
        return Need(Totals(self.totals.cpu_milli * count, self.totals.memory_bytes * count), self.demands.times(count))


NO_NEED = Need()
