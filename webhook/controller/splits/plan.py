"""What to do about one chunk, from what is known of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum, auto

from webhook.model.contract import SPLIT_OF
from webhook.model.objects import Object, labels, status_of
from webhook.model.subworkflows import ended


class Do(StrEnum):
    """The next step."""

    NOTHING = auto()
    SUBMIT = auto()
    FOLLOW = auto()
    """It is under way."""
    END = auto()


@dataclass(frozen=True)
class Past:
    """What the ledger remembers of a Workflow of that name. `phase` is None if it had not ended.

    `lost` is whether its target was forgotten, so that nobody knows how far it came.
    """

    phase: str | None
    message: str
    lost: bool = False


@dataclass(frozen=True)
class Next:
    """What to do, and for an end the phase and why."""

    do: Do
    phase: str = ""
    message: str = ""


def is_of(child: Object, uid: str | None, of: str) -> bool:
    """Whether a Workflow is that chunk of `of`: by its `uid` once that is known, since people can take labels off."""
    return labels(child).get(SPLIT_OF) == of if uid is None else child["metadata"]["uid"] == uid


def next_for(name: str, uid: str | None, phase: str | None, child: Object | None, past: Past | None, of: str) -> Next:
    """The step for the chunk called `name` of the placement `of`; `uid` and `phase` are known of it by now.

    `child` is the Workflow of that name at the front door. One that ever was there is not submitted once more, whatever
    became of it: nothing may run twice.
    """
    if phase is not None:
        return Next(Do.NOTHING)
    if child is None:
        return _without_child(name, uid, past)
    if not is_of(child, uid, of):
        return Next(Do.END, "Error", f"the name {name} is taken by another Workflow")
    final = ended(child)
    if final is None:
        return Next(Do.FOLLOW)
    return Next(Do.END, final, str(status_of(child).get("message") or ""))


def _without_child(name: str, uid: str | None, past: Past | None) -> Next:
    if past is not None and past.phase is not None:
        return Next(Do.END, past.phase, past.message)
    if past is not None or uid is not None:
        return Next(Do.END, "Error", f"Workflow {name} was deleted before it ended")
    return Next(Do.SUBMIT)
