"""Insertions into a text. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Insertion:
    """Some text, and before which character it is to stand."""

    at: int
    text: str


def with_insertions(text: str, insertions: Iterable[Insertion]) -> str:
    """The text with all of them in it; what is inserted twice at one place is there once."""
    pieces, last = [], 0
    for one in sorted(set(insertions)):
        pieces += [text[last : one.at], one.text]
        last = one.at
    return "".join([*pieces, text[last:]])
