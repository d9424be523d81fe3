"""Makes JSON merge patches (RFC 7396) from the current and the desired state. Pure."""

from collections.abc import Mapping
from typing import Any


def merge_patch(current: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest patch that gives every key of `desired` its value; other keys stay. None removes a key."""
    patch: dict[str, Any] = {}
    for key, value in desired.items():
        now = current.get(key)
        if isinstance(value, Mapping):
            inner = merge_patch(now if isinstance(now, Mapping) else {}, value)
            if inner or not isinstance(now, Mapping):
                patch[key] = inner
        elif value != now:
            patch[key] = value
    return patch


def exactly(current: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """`desired`, plus None for all keys that only `current` has, at every depth, so that a merge patch removes them."""
    full: dict[str, Any] = {key: None for key in current if key not in desired}
    for key, value in desired.items():
        now = current.get(key)
        full[key] = exactly(now if isinstance(now, Mapping) else {}, value) if isinstance(value, Mapping) else value
    return full
