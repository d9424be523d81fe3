"""The parts of an expression."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Literal:
    """`value` is a text, a number, true, false or nil."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Name:
    """A name at the beginning of a path."""

    name: str


@dataclass(frozen=True)
class Member:
    """`of.key` or `of[key]`; with `optional`, nil has every member, which is nil."""

    of: "Node"
    key: "Node"
    optional: bool = False


@dataclass(frozen=True)
class Slice:
    """`of[start:end]`; None for what is left out."""

    of: "Node"
    start: "Node | None"
    end: "Node | None"


@dataclass(frozen=True)
class Call:
    """A function by its name, such as `upper` or `sprig.upper`."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Unary:
    """`not` or `-`."""

    operator: str
    of: "Node"


@dataclass(frozen=True)
class Binary:
    """Any operator between two operands."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Choice:
    """`condition ? yes : no`."""

    condition: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True)
class Sequence:
    """`[…]`."""

    items: tuple["Node", ...]


@dataclass(frozen=True)
class Pairs:
    """`{…: …}`."""

    pairs: tuple[tuple[str, "Node"], ...]


Node = Literal | Name | Member | Slice | Call | Unary | Binary | Choice | Sequence | Pairs
