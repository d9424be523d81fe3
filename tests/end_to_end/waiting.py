"""Waiting for what other processes do: with a deadline, and a message that says for what."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_AGAIN = 0.15


def eventually(probe: Callable[[], Value], what: str | Callable[[], str], *, within: float = 180.0) -> Value:
    """The first truthy value of `probe`. Fails with `what`, which may be asked then, when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s: {what if isinstance(what, str) else what()}")
        time.sleep(_AGAIN)
