"""Reads JSON from a cluster even if it is nested deeper than Python's recursion limit. Pure.

For kinds without a schema, an apiserver stores objects nested thousands of levels deep. One such Workflow would make
every list that contains it unreadable.
"""

import json
import re
from typing import Any

from webhook.model.limits import DEEPEST_ANSWER

_MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def read_json(data: bytes) -> Any:
    """Parse JSON; if it is too deep, everything below DEEPEST_ANSWER levels becomes null. Raises ValueError."""
    try:
        return json.loads(data)
    except RecursionError:
        return json.loads(_cut_off(data))


def _cut_off(data: bytes) -> bytes:
    kept, depth, start = [], 0, 0
    for found in _MARKS.finditer(data):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            if depth == DEEPEST_ANSWER + 1:
                kept += [data[start : found.start()], b"null"]
        elif mark in b"]}":
            if depth == DEEPEST_ANSWER + 1:
                start = found.end()
            depth -= 1
    if depth:
        raise ValueError("brackets are left open")
    return b"".join([*kept, data[start:]])
