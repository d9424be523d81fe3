"""Finds the heaviest set of elements that may all overlap, by Dilworth's theorem and a maximum flow."""

from collections import deque
from collections.abc import Sequence

# Each element is two points of the flow: one in its role as predecessor, one in its role as successor.
_SOURCE, _SINK = 0, 1


def heaviest(weights: Sequence[int], before: Sequence[int]) -> int:
    """The weight of the heaviest antichain. `before[i]` has bit j set when j comes before i; the order is transitive.

    It is the sum of all weights minus the maximum flow from earlier to later elements, where no element gives or takes
    more than its own weight: the flow is what covering the elements by chains saves.
    """
    flow = _Flow(2 + 2 * len(weights))
    for one, weight in enumerate(weights):
        flow.edge(_SOURCE, 2 + 2 * one, weight)
        flow.edge(3 + 2 * one, _SINK, weight)
        for early, other in enumerate(weights):
            if before[one] >> early & 1:
                flow.edge(2 + 2 * early, 3 + 2 * one, min(weight, other))
    return sum(weights) - flow.most()


class _Flow:
    """Dinic's algorithm."""

    def __init__(self, points: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(points)]
        self._to: list[int] = []
        self._left: list[int] = []

    def edge(self, start: int, end: int, capacity: int) -> None:
        """Add an edge, and its reverse with no capacity yet."""
        if capacity <= 0:
            return
        for here, there, left in ((start, end, capacity), (end, start, 0)):
            self._edges[here].append(len(self._to))
            self._to.append(there)
            self._left.append(left)

    def most(self) -> int:
        """The maximum flow."""
        total = 0
        while True:
            level = self._levels()
            if level[_SINK] < 0:
                return total
            turn = [0] * len(self._edges)
            while pushed := self._push(level, turn):
                total += pushed

    def _levels(self) -> list[int]:
        level = [-1] * len(self._edges)
        level[_SOURCE] = 0
        waiting = deque([_SOURCE])
        while waiting:
            here = waiting.popleft()
            for edge in self._edges[here]:
                there = self._to[edge]
                if self._left[edge] and level[there] < 0:
                    level[there] = level[here] + 1
                    waiting.append(there)
        return level

    def _push(self, level: list[int], turn: list[int]) -> int:
        """Push along one path. Not recursive, because a path may visit every point."""
        path: list[int] = []
        here = _SOURCE
        while here != _SINK:
            edges = self._edges[here]
            while turn[here] < len(edges):
                edge = edges[turn[here]]
                if self._left[edge] and level[self._to[edge]] == level[here] + 1:
                    break
                turn[here] += 1
            else:
                if not path:
                    return 0
                here = self._to[path.pop() ^ 1]
                turn[here] += 1
                continue
            path.append(edge)
            here = self._to[edge]
        amount = min(self._left[edge] for edge in path)
        for edge in path:
            self._left[edge] -= amount
            self._left[edge ^ 1] += amount
        return amount
