"""Turns a cluster's error answer into one of Medea's errors. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from webhook.errors import (
    AlreadyExists,
    Clash,
    ClusterUnavailable,
    Conflict,
    Expired,
    MedeaError,
    NamespaceGoes,
    NotAllowed,
    NotThere,
    QuotaExceeded,
    Rejected,
    quoted,
)
from webhook.model.bounded_json import read_json
from webhook.model.limits.kube import LONGEST_STATUS

# Kubernetes has no machine-readable reason for these: Medea itself is not authorized, which says nothing about the
# object; a quota is full, or has not been counted yet; a namespace is being deleted; and an apiserver that has just
# started, whose admission plugins have not read their caches within ten seconds.
_NOT_ALLOWED = re.compile(r'^(\S+ ("[^"]*" )?is )?forbidden: User ".*?" cannot (?P<verb>\S+) ')
_NO_ROOM = re.compile(r"is forbidden: (exceeded quota|status unknown for quota): ")
_NAMESPACE_GOES = re.compile(
    r'^\S+ ("[^"]*" )?is forbidden: unable to create new content in namespace \S+ because it is being terminated$'
)
_NOT_READY = re.compile(r'^\S+ ("[^"]*" )?is forbidden: not yet ready to handle request$')
# Etcd takes no object of that size, now or later; the second are the words of the apiserver's own client of it.
_TOO_LARGE = re.compile(r"etcdserver: request is too large|trying to send message larger than max")
# The cluster is overloaded, starting, or does not accept Medea's token: this says nothing about the object.
_AWAY = frozenset({401, 408, 429, 500, 502, 503, 504})
# The reason that a healthy apiserver gives when something that it needs for one object fails, such as a webhook.
_ABOUT_ONE_OBJECT = "InternalError"


@dataclass(frozen=True)
class Status:
    """A failed call: the HTTP status, the apiserver's message and reason, and the name of the object it is about."""

    code: int
    message: str
    reason: str = ""
    about: str = ""

    @property
    def answers(self) -> bool:
        """Whether this shows that the cluster is able to answer calls."""
        if self.is_too_large:
            return True
        return self.code not in _AWAY or (self.code == 500 and self.reason == _ABOUT_ONE_OBJECT)

    @property
    def is_too_large(self) -> bool:
        """Whether it refuses an object for its size, be it in the guise of a failure of its own."""
        return self.code == 500 and _TOO_LARGE.search(self.message) is not None


def status_of(code: int, data: bytes) -> Status:
    """Read an error answer; if it is not a Status, its text becomes the message."""
    try:
        status: Any = read_json(data)
        about = (status.get("details") or {}).get("name")
        return Status(code, str(status["message"])[:LONGEST_STATUS], str(status.get("reason") or ""), str(about or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Status(code, data[:200].decode(errors="replace"))


def error_of(status: Status, cluster: str) -> MedeaError:
    """ClusterUnavailable, with the HTTP status as `answered`, if the call may succeed later; else a Rejected."""
    code, words = status.code, status.message
    if code == 410:
        return Expired(f"cluster {cluster} answered {code}: {quoted(words)}", answered=code)
    not_served = code == 404 and not status.about
    away = code in _AWAY and not status.is_too_large
    if code == 403 and (right := _NOT_ALLOWED.search(words)):
        return NotAllowed(f"cluster {cluster} answered {code}: {quoted(words)}", answered=code, verb=right["verb"])
    not_ready = code == 403 and _NOT_READY.search(words) is not None
    if away or not_served or not_ready:
        return ClusterUnavailable(f"cluster {cluster} answered {code}: {quoted(words)}", answered=code)
    return _kind(status)(words, cluster=cluster)


def _kind(status: Status) -> type[Rejected]:
    if status.code == 404:
        return NotThere
    if status.code == 409:
        return {"AlreadyExists": AlreadyExists, "Conflict": Conflict}.get(status.reason, Clash)
    if status.code == 403 and _NO_ROOM.search(status.message):
        return QuotaExceeded
    if status.code == 403 and _NAMESPACE_GOES.search(status.message):
        return NamespaceGoes
    return Rejected
