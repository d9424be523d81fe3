"""JSON merge patches (RFC 7396), made from what is and what should be. Pure."""

from collections.abc import Mapping
from typing import Any


def merge_patch(current: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest patch that makes every key of `desired` true; keys it doesn't name stay. None removes a key."""
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
    """`desired`, with None for whatever `current` has beyond it, at every depth: a merge patch alone leaves that."""
    full: dict[str, Any] = {key: None for key in current if key not in desired}
    for key, value in desired.items():
        now = current.get(key)
        full[key] = exactly(now if isinstance(now, Mapping) else {}, value) if isinstance(value, Mapping) else value
    return full
