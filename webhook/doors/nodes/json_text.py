"""Finds in a JSON text where a key can be added to an object. Pure."""

import json
import re
from collections.abc import Iterator

from webhook.doors.nodes.edits import Insertion
from webhook.nodes.paths import Tree

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def insertions(text: str, key: str, values: Tree[dict[str, str]]) -> Iterator[Insertion]:
    """What adds a key, as the first, to objects at places of the whole text, which is JSON."""
    waiting = [(_after_space(text, 0), values)]
    while waiting:
        at, tree = waiting.pop()
        if tree.said is not None:
            yield _insertion(text, at, key, tree.said)
        if tree.inside:
            waiting += [(start, tree.inside[name]) for name, start in _inside(text, at) if name in tree.inside]


def _insertion(text: str, at: int, key: str, value: dict[str, str]) -> Insertion:
    first = _after_space(text, at + 1)
    # Between two keys stands what stands before the first: a line's beginning, a blank or nothing.
    space = text[at + 1 : first]
    return Insertion(first, f"{json.dumps(key)}: {json.dumps(value)}," + (space or " "))


def _inside(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """The keys or places of what begins at `at`, and where the value of each begins."""
    is_object = text[at] == "{"
    at, number = _after_space(text, at + 1), 0
    while text[at] not in "}]":
        name: str | int = number
        if is_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        yield name, at
        at = _after_space(text, _DECODER.raw_decode(text, at)[1])
        number += 1
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
