"""Finds a shorter schedule that still goes wrong, by leaving events out: halves first, then ever smaller parts."""

from collections.abc import Callable, Sequence

from tests.faults.schedule import Event


def shrink(events: Sequence[Event], fails: Callable[[list[Event]], bool], *, most: int = 200) -> list[Event]:
    """The shortest schedule found with at most `most` tries."""
    left, part = list(events), max(1, len(events) // 2)
    while most > 0:
        shorter = None
        for start in range(0, len(left), part):
            candidate = left[:start] + left[start + part :]
            most -= 1
            if candidate and fails(candidate):
                shorter = candidate
                break
            if most <= 0:
                break
        if shorter is not None:
            left = shorter
            part = min(part, max(1, len(left) // 2))
        elif part == 1:
            return left
        else:
            part = max(1, part // 2)
    return left


def kind_of(wrong: str) -> str:
    """What went wrong, without what it was about."""
    return " ".join(word for word in wrong.split()[:8] if not any(sign in word for sign in "/:=0123456789"))
