"""Medea's finalizer: it keeps an origin until its run is gone, and a run until its end is in the ledger. Pure."""

from typing import Any

from webhook.model.contract import FINALIZER
from webhook.model.objects import Object, texts


def is_deletion_ongoing(thing: Object) -> bool:
    """Whether somebody has deleted it, and finalizers are all that keeps it."""
    return "deletionTimestamp" in thing["metadata"]


def is_deletion_blocked(thing: Object) -> bool:
    """Whether Medea's finalizer is on it."""
    return FINALIZER in texts(thing["metadata"].get("finalizers"))


def block_deletion(finalizers: Any) -> list[str]:
    """These finalizers, as an object's metadata has them, and Medea's, each once."""
    return list(dict.fromkeys([*texts(finalizers), FINALIZER]))


def allow_deletion(thing: Object) -> Object:
    """The merge patch that takes Medea's finalizer off this very version of an object; empty when it has none."""
    if not is_deletion_blocked(thing):
        return {}
    left = [one for one in texts(thing["metadata"]["finalizers"]) if one != FINALIZER]
    return {"metadata": {"resourceVersion": thing["metadata"]["resourceVersion"], "finalizers": left}}
