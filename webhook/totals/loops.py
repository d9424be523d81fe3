"""How often a task runs: its withItems, withParam or withSequence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from webhook.model.limits.admission import WEIGH_LONGEST_LOOP, WEIGH_MOST_ROUNDS
from webhook.totals.items import read_items
from webhook.totals.scope import mentions_item, value_of, with_item
from webhook.totals.shape import Spec
from webhook.totals.tags import Bindings, filled


@dataclass(frozen=True)
class Loop:
    """A loop of `count` rounds. `note` says why the count is a guess; None if it is exact.

    If it is `unknown` over what it loops, it has no items.
    """

    count: int
    _items: Sequence[Any]
    _made: Callable[[Any], Any] | None = None
    note: str | None = None
    unknown: bool = False

    def items(self, most: int) -> Iterator[Any]:
        """The first `most` items, as they are when the loop begins; those of a sequence as formatted text."""
        first = islice(self._items, most)
        return first if self._made is None else map(self._made, first)


def rounds_of(task: Spec, known: Bindings) -> Iterator[Bindings]:
    """What is known in each round of a task; of rounds past the first ones, nothing about their items."""
    loop = loop_of(task, str(task.get("name")), known) if mentions_item(task) else None
    if loop is None or loop.unknown:
        yield known
        return
    for item in loop.items(WEIGH_MOST_ROUNDS):
        yield with_item(known, item)
    if loop.count > WEIGH_MOST_ROUNDS:
        yield known


def loop_of(task: Spec, name: str, known: Bindings) -> Loop | None:
    """The loop of a task; None if it has none."""
    if isinstance(task.get("withItems"), list) and task["withItems"]:
        return Loop(len(task["withItems"]), task["withItems"], lambda item: _item(item, known))
    if task.get("withParam"):
        return _from_parameter(task["withParam"], name, known)
    if isinstance(task.get("withSequence"), Mapping):
        return _sequence(task["withSequence"], name, known)
    return None


def _item(written: Any, known: Bindings) -> Any:
    """An item as it is when the loop begins, with tags filled in at any depth. An apiserver has sorted its keys."""
    if isinstance(written, Mapping):
        return {key: _item(written[key], known) for key in sorted(written)}
    if isinstance(written, list):
        return [_item(one, known) for one in written]
    return filled(written, known) if isinstance(written, str) else written


def _from_parameter(written: object, name: str, known: Bindings) -> Loop:
    value = value_of(written, known)
    items = read_items(value) if value is not None else None
    return Loop(len(items), items) if items is not None else _unknown(name)


def _sequence(written: Spec, name: str, known: Bindings) -> Loop:
    numbers = {key: _number(written[key], known) for key in ("start", "end", "count") if written.get(key) is not None}
    start, end, count = numbers.get("start", 0), numbers.get("end"), numbers.get("count")
    if start is None or None in numbers.values() or (end is None and count is None):
        return _unknown(name)
    if end is None:
        assert count is not None
        if count == 0:
            return Loop(0, ())
        end = start + count - 1
    rounds = abs(end - start) + 1
    if rounds > WEIGH_LONGEST_LOOP:
        return Loop(WEIGH_LONGEST_LOOP, (), note=f"task {name} runs {rounds} times; counted as {WEIGH_LONGEST_LOOP}")
    items = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    how = str(written.get("format") or "%d")
    return Loop(rounds, items, lambda number: _formatted(how, number))


def _unknown(name: str) -> Loop:
    note = f"how often task {name} runs is not known before it does; counted once"
    return Loop(1, (), note=note, unknown=True)


def _number(value: object, known: Bindings) -> int | None:
    text = value_of(value, known)
    try:
        return int(text) if text is not None and len(text) <= 12 else None
    except ValueError:
        return None


def _formatted(how: str, number: int) -> str:
    """Format a number with a Go format; all that are used in practice mean the same in Python."""
    try:
        return how % number
    except (ValueError, TypeError):
        return str(number)
