"""Names by which Workflows share something on a cluster: locks, and caches of memoized steps. Pure.

A name is one text that the ledger can look for: what it is, the namespace it belongs to, and what people call it.
"""

import hashlib
from enum import StrEnum

from webhook.model.limits.model import SHARED_NAME_LONGEST, SHARED_NAME_SHOWN


class Kind(StrEnum):
    """What has the name."""

    MUTEX = "mutex"
    SEMAPHORE = "semaphore"
    CACHE = "cache"


def mutex(namespace: str, name: str) -> str:
    """The name of a mutex."""
    return _bounded(f"{Kind.MUTEX}/{namespace}/{name}")


def semaphore(namespace: str, config_map: str, key: str) -> str:
    """The name of a semaphore, whose size is in a ConfigMap."""
    return _bounded(f"{Kind.SEMAPHORE}/{namespace}/{config_map}/{key}")


def cache(config_map: str) -> str:
    """The name of a cache. Its ConfigMap is in the namespace of Argo's controller, whoever uses it."""
    return _bounded(f"{Kind.CACHE}//{config_map}")


def is_cache(shared: str) -> bool:
    """Whether it is a cache, which stays when nobody uses it."""
    return shared.startswith(f"{Kind.CACHE}/")


def said(shared: str, namespace: str) -> str:
    """The name for people in `namespace`, such as `mutex build`."""
    kind, where, name = shared.split("/", 2)
    shown = name if len(name) <= SHARED_NAME_SHOWN else f"{name[:SHARED_NAME_SHOWN]}…"
    return f"{kind} {shown}" if where in ("", namespace) else f"{kind} {where}/{shown}"


def _bounded(shared: str) -> str:
    """As the ledger can store it: a mutex may be called anything. What is too long for an index ends in a hash."""
    shared = shared.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if len(shared) <= SHARED_NAME_LONGEST:
        return shared
    digest = hashlib.sha256(shared.encode()).hexdigest()
    return f"{shared[: SHARED_NAME_LONGEST - len(digest)]}{digest}"
