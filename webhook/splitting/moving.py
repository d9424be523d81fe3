"""Which chunks are to go elsewhere, where a namespace wants that. Pure.

A chunk is never begun elsewhere while it may be running: it is stopped, and what is not done of it is cut anew when its
end is known. On a target that is away that is when it is back, or has been forgotten.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from webhook.errors import Refused, wrong_field
from webhook.model.contract import CHUNKS
from webhook.model.limits.splitting import MOST_MOVES, SLOW_FACTOR, SLOW_LEAST

_ENOUGH = 2
"""Chunks that have to have ended before others are slow."""


class Policy(StrEnum):
    """What becomes of chunks on a target that is lost or slow."""

    STAY = "stay"
    MOVE = "move"


@dataclass(frozen=True)
class Pace:
    """A chunk that runs or has succeeded: how many items, for how many seconds, and how often they were moved."""

    number: int
    cluster: str
    size: int
    seconds: float
    ended: bool
    moves: int = 0


def policy_of(value: str | None) -> Policy:
    """What a namespace's label says. Raises Refused."""
    try:
        return Policy(value or Policy.STAY)
    except ValueError:
        raise wrong_field(Refused, f"label {CHUNKS}", value, f"it must be {' or '.join(Policy)}") from None


def to_move(paces: Iterable[Pace], away: Collection[str]) -> list[int]:
    """The numbers of the chunks that are to be taken from their targets. `away` have not answered for long."""
    known = list(paces)
    ended = [one.seconds / one.size for one in known if one.ended]
    usual = median(ended) if len(ended) >= _ENOUGH else None
    return [
        one.number
        for one in known
        if not one.ended and one.moves < MOST_MOVES and (one.cluster in away or _is_slow(one, usual))
    ]


def _is_slow(one: Pace, usual: float | None) -> bool:
    return usual is not None and one.seconds > max(SLOW_LEAST, SLOW_FACTOR * usual * one.size)
