"""Times as Kubernetes writes them, in whole seconds since the epoch. Pure."""

import datetime
from typing import Any


def stamp(seconds: int) -> str:
    """As Kubernetes writes it: RFC 3339, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(value: Any) -> int | None:
    """A time that Kubernetes has written; None if it is none."""
    try:
        moment = datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None or moment.tzinfo is None else int(moment.timestamp())
    except (ValueError, OverflowError):
        return None
