"""The items of a loop, and what Argo puts in place of them: numbers of a `withParam` stay as they were written."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.totals.parameters import parameter_text

_ESCAPED_BY_GO = re.compile("[<>&\u2028\u2029]")
# In place of a number in JSON.
_MARK = "\ue000"


@dataclass(frozen=True)
class _Written:
    """A number that Python would write in another way."""

    text: str


def read_items(text: str) -> list[Any] | None:
    """The items in a JSON list; None if it is none."""
    try:
        items = read_json(text.encode(), _number)
    except ValueError:
        return None
    return items if isinstance(items, list) else None


def item_text(item: Any) -> str | None:
    """What Argo makes of an item, or of a value in one; None if that is not known."""
    if isinstance(item, _Written):
        return item.text
    if not isinstance(item, Mapping | list):
        return parameter_text(item)
    written = _json(item)
    return None if written is None or escaped_by_go(written) else written


def escaped_by_go(text: str) -> bool:
    """Whether Go writes something in this JSON in another way."""
    return _ESCAPED_BY_GO.search(text) is not None


def _number(text: str) -> int | float | _Written:
    number = float(text) if set(text) & set(".eE") else int(text)
    return number if str(number) == text else _Written(text)


def _json(item: Any) -> str | None:
    numbers: list[str] = []

    def marked(value: Any) -> str:
        if not isinstance(value, _Written):
            return str(value)
        numbers.append(value.text)
        return _MARK

    pieces = json.dumps(item, default=marked, ensure_ascii=False, separators=(",", ":")).split(f'"{_MARK}"')
    if len(pieces) != len(numbers) + 1:
        # A text of the item's own looks like the mark.
        return None
    return "".join(chain.from_iterable(zip_longest(pieces, numbers, fillvalue="")))
