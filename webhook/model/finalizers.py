"""Medea's finalizer: it keeps an origin until its run is gone, and a run until its end is in the ledger. Pure."""

from typing import Any

from webhook.model.contract import FINALIZER
from webhook.model.objects import Object, texts


def is_deletion_ongoing(thing: Object) -> bool:
    """Whether it has been deleted and only its finalizers keep it."""
    return "deletionTimestamp" in thing["metadata"]


def is_deletion_blocked(thing: Object) -> bool:
    """Whether it has Medea's finalizer."""
    return FINALIZER in texts(thing["metadata"].get("finalizers"))


def block_deletion(finalizers: Any) -> list[str]:
    """An object's `metadata.finalizers` with Medea's added, without duplicates."""
    return list(dict.fromkeys([*texts(finalizers), FINALIZER]))


def allow_deletion(thing: Object) -> Object:
    """The merge patch that removes Medea's finalizer from exactly this version of an object; empty if it has none."""
    if not is_deletion_blocked(thing):
        return {}
    left = [one for one in texts(thing["metadata"]["finalizers"]) if one != FINALIZER]
    return {"metadata": {"resourceVersion": thing["metadata"]["resourceVersion"], "finalizers": left}}
