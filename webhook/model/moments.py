"""Times as Kubernetes writes them. Pure."""

import datetime
from typing import Any


def written(moment: datetime.datetime) -> str:
    """As Kubernetes writes a time in UTC: RFC 3339, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def written_finely(moment: datetime.datetime) -> str:
    """As leases have it: with microseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stamp(seconds: int) -> str:
    """What so many seconds since the epoch are written as."""
    return written(datetime.datetime.fromtimestamp(seconds, datetime.UTC))


def moment_of(value: Any) -> datetime.datetime | None:
    """A time that Kubernetes has written; None if it is none. One without a zone would be ambiguous, and is none."""
    try:
        moment = datetime.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return None if moment.tzinfo is None else moment


def seconds_of(value: Any) -> int | None:
    """The same in whole seconds since the epoch."""
    moment = moment_of(value)
    try:
        return None if moment is None else int(moment.timestamp())
    except OverflowError:
        return None
