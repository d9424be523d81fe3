"""Reads JSON that may be nested deeper than Python's recursion limit. Pure.

For kinds without a schema, an apiserver stores objects nested thousands of levels deep. One such Workflow would make
every list that contains it unreadable, and whatever walks through it would fail. So nothing deep comes in.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from webhook.model.limits.model import DEEPEST_JSON

_MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def read_json(data: bytes, number: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON; whatever is nested deeper than DEEPEST_JSON levels becomes null. Raises ValueError.

    `number` makes what stands for a number of its text.
    """
    try:
        value = json.loads(data, parse_float=number, parse_int=number)
    except RecursionError:
        return json.loads(_cut_off(data), parse_float=number, parse_int=number)
    # Counting is quick, and most objects have fewer brackets than that.
    if data.count(b"{") + data.count(b"[") <= DEEPEST_JSON or not is_deep(value):
        return value
    return json.loads(_cut_off(data), parse_float=number, parse_int=number)


def is_deep(value: Any) -> bool:
    """Whether there is anything below DEEPEST_JSON levels of objects and lists."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST_JSON):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _cut_off(data: bytes) -> bytes:
    kept, depth, start = [], 0, 0
    for found in _MARKS.finditer(data):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            if depth == DEEPEST_JSON + 1:
                kept += [data[start : found.start()], b"null"]
        elif mark in b"]}":
            if depth == DEEPEST_JSON + 1:
                start = found.end()
            depth -= 1
    if depth:
        raise ValueError("brackets are left open")
    return b"".join([*kept, data[start:]])
