"""JSON from a cluster, read even if one object in it is nested deeper than Python follows. Pure.

An apiserver stores what is nested thousands of levels deep, where the kind has no schema; one such Workflow would make
every list that it is in unreadable.
"""

import json
import re
from typing import Any

from webhook.model.limits import DEEPEST_ANSWER

_MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def read_json(data: bytes) -> Any:
    """What JSON says; where it is too deep to be read, null for all below DEEPEST_ANSWER levels. Raises ValueError."""
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
