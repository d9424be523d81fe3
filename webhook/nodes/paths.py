"""Many places in one value, so that it is walked through once for all of them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Path = tuple[str | int, ...]
"""Where something is in a value, key by key."""
Value = TypeVar("Value")


@dataclass
class Tree(Generic[Value]):
    """What is said of a place, if anything, and of the places in it."""

    said: Value | None = None
    inside: "dict[str | int, Tree[Value]]" = field(default_factory=dict)


def tree_of(places: Iterable[tuple[Path, Value]]) -> Tree[Value]:
    """The places as a tree."""
    root: Tree[Value] = Tree()
    for path, said in places:
        here = root
        for step in path:
            here = here.inside.setdefault(step, Tree())
        here.said = said
    return root
