"""Finds out whose token a caller sends, by asking the front door. Answers are cached for a while.

A token must be one for the front door's apiserver itself: one that was made for another service is not valid here.
"""

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webhook.kube.client import Cluster
from webhook.kube.resources import TOKEN_REVIEWS
from webhook.model.deadline import Clock
from webhook.model.limits.api import TOKENS_KEPT, TOKENS_TRUSTED


@dataclass(frozen=True)
class Identity:
    """Somebody as Kubernetes knows them."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Tokens:
    """Asks the front door. Caches valid tokens only, by their hash."""

    def __init__(self, front: Cluster, *, clock: Clock = time.monotonic) -> None:
        self._front, self._clock = front, clock
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[Identity, float]] = {}

    def identify(self, token: str) -> Identity | None:
        """The token's owner; None if the token is not valid."""
        key = hashlib.sha256(token.encode()).digest()
        known = self._known.get(key)
        if known and self._clock() < known[1]:
            return known[0]
        status = self._front.create(TOKEN_REVIEWS, None, {"spec": {"token": token}}).get("status") or {}
        user = status.get("user") or {}
        if status.get("authenticated") is not True or not user.get("username"):
            return None
        found = Identity(
            user=str(user["username"]),
            groups=tuple(user.get("groups") or ()),
            uid=str(user.get("uid") or ""),
            extra=user.get("extra") or {},
        )
        self._remember(key, found)
        return found

    def _remember(self, key: bytes, found: Identity) -> None:
        with self._lock:
            self._known.pop(key, None)
            while len(self._known) >= TOKENS_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = (found, self._clock() + TOKENS_TRUSTED)
