"""Finds out whose token the plugin sends, by asking the front door. Answers are cached for a while."""

import hashlib
import threading
import time

from webhook.kube.client import Cluster
from webhook.kube.resources import TOKEN_REVIEWS
from webhook.model.deadline import Clock
from webhook.model.limits import TOKENS_KEPT, TOKENS_TRUSTED


class Tokens:
    """Asks the front door. Caches valid tokens only, by their hash."""

    def __init__(self, front: Cluster, *, clock: Clock = time.monotonic) -> None:
        self._front, self._clock = front, clock
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[str, float]] = {}

    def user(self, token: str) -> str | None:
        """The user name of the token's owner; None if the token is not valid."""
        key = hashlib.sha256(token.encode()).digest()
        user, until = self._known.get(key, ("", 0.0))
        if user and self._clock() < until:
            return user
        review = self._front.create(TOKEN_REVIEWS, None, {"spec": {"token": token}})
        status = review.get("status") or {}
        found = (status.get("user") or {}).get("username") if status.get("authenticated") else None
        if found:
            self._remember(key, str(found))
        return found

    def _remember(self, key: bytes, user: str) -> None:
        with self._lock:
            self._known.pop(key, None)
            while len(self._known) >= TOKENS_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = (user, self._clock() + TOKENS_TRUSTED)
