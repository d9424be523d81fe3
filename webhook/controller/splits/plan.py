"""What to do about one chunk, from what is known of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum, auto

from webhook.model.contract import SPLIT_OF
from webhook.model.objects import Object, labels
from webhook.model.submitted_once import Fate, Past, become


class Do(StrEnum):
    """The next step."""

    NOTHING = auto()
    SUBMIT = auto()
    FOLLOW = auto()
    """It is under way."""
    END = auto()


@dataclass(frozen=True)
class Next:
    """What to do, and for an end the phase and why."""

    do: Do
    phase: str = ""
    message: str = ""


_DO = {Fate.ABSENT: Do.SUBMIT, Fate.ALIVE: Do.FOLLOW, Fate.ENDED: Do.END, Fate.SPOILED: Do.END}


def is_of(child: Object, uid: str | None, of: str) -> bool:
    """Whether a Workflow is that chunk of `of`: by its `uid` once that is known, since people can take labels off."""
    return labels(child).get(SPLIT_OF) == of if uid is None else child["metadata"]["uid"] == uid


def next_for(name: str, uid: str | None, phase: str | None, child: Object | None, past: Past | None, of: str) -> Next:
    """The step for the chunk called `name` of the placement `of`; `uid` and `phase` are known of it by now.

    `child` is the Workflow of that name at the front door.
    """
    if phase is not None:
        return Next(Do.NOTHING)
    now = become(name, uid, child, past, is_it=child is not None and is_of(child, uid, of))
    return Next(_DO[now.fate], "Error" if now.fate is Fate.SPOILED else now.phase, now.message)
