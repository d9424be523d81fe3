"""What has become of a Workflow that is submitted once, under a name that is known before. Pure.

One that ever was there is not submitted once more, whatever became of it: nothing may run twice.
"""

from dataclasses import dataclass
from enum import StrEnum, auto

from webhook.model.objects import Object, status_of
from webhook.model.subworkflows import ended


@dataclass(frozen=True)
class Past:
    """What the ledger remembers of a Workflow of that name. `phase` is None if it was deleted before it ended.

    `lost` is whether its target was forgotten, so that nobody knows how far it came.
    """

    phase: str | None
    message: str
    lost: bool = False


class Fate(StrEnum):
    """What has become of it."""

    ABSENT = auto()
    """It never was there."""
    ALIVE = auto()
    ENDED = auto()
    SPOILED = auto()
    """It was refused, its name is somebody else's, or it was deleted before it ended."""


@dataclass(frozen=True)
class Become:
    """The fate, and of what is over the phase and why."""

    fate: Fate
    phase: str = ""
    message: str = ""


def become(name: str, uid: str | None, found: Object | None, past: Past | None, *, is_it: bool) -> Become:
    """What has become of the Workflow called `name`, whose `uid` is known once it has been seen.

    `found` is what has that name at the front door now, and `is_it` whether that is the one which was submitted.
    """
    if found is None:
        return _gone(name, uid, past)
    if not is_it:
        return Become(Fate.SPOILED, "Error", f"the name {name} is taken by another Workflow")
    phase = ended(found)
    if phase is None:
        return Become(Fate.ALIVE)
    return Become(Fate.ENDED, phase, str(status_of(found).get("message") or ""))


def _gone(name: str, uid: str | None, past: Past | None) -> Become:
    if past is not None and past.phase is not None:
        return Become(Fate.ENDED, past.phase, past.message)
    if past is not None or uid is not None:
        return Become(Fate.SPOILED, "Error", f"Workflow {name} was deleted before it ended")
    return Become(Fate.ABSENT)
