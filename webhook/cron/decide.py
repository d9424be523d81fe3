"""Which tick of a CronWorkflow is due, whether it runs, and which old Workflows go. Pure.

A tick that came while this controller leads is due for LATE seconds. One that was missed, or could not run then, is due
as long as `startingDeadlineSeconds` says, if there was a tick before it; of several the last one only. So does Argo.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webhook.cron.child import Child
from webhook.cron.conditions import is_over, may_run
from webhook.cron.schedule import latest
from webhook.cron.spec import FORBID, CronSpec
from webhook.cron.status import Status
from webhook.model.limits.cron import LATE
from webhook.model.objects import Object


class Verdict(StrEnum):
    """What becomes of a tick."""

    RUN = "submitted"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    NOT_WHEN = "not when"
    FORBIDDEN = "another runs"


@dataclass(frozen=True)
class Handled:
    """What a controller remembers of a CronWorkflow, by its uid and schedules: until when ticks are done with.

    `refused` is a tick that was refused for good, and `trying` one that was refused for the moment, with the reason.
    """

    uid: str
    written: str
    until: int
    refused: int | None = None
    trying: tuple[int, str] | None = None


def began(uid: str, spec: CronSpec, status: Status, created: int, now: float, before: Handled | None) -> Handled:
    """What a controller begins with, when it sees a CronWorkflow for the first time or with other schedules.

    A new schedule has missed nothing. Otherwise the leader before may have died just now.
    """
    if before is not None and before.uid == uid:
        return before if before.written == spec.written else Handled(uid, spec.written, math.floor(now))
    if status.schedule not in (None, spec.written):
        return Handled(uid, spec.written, math.floor(now))
    late = LATE if spec.starting_deadline is None else min(spec.starting_deadline, LATE)
    return Handled(uid, spec.written, max(math.floor(now - late), created, status.last or 0))


def due(spec: CronSpec, status: Status, handled: Handled, created: int, now: float) -> int | None:
    """The tick to handle now, if there is one."""
    if status.stopped:
        return None
    since = _anchor(status, created)
    missed = _missed(spec, status, since, now)
    if missed is not None and missed != handled.refused:
        return missed
    begin = max(handled.until, math.floor(now - LATE) - 1)
    live = [latest(one, since, begin, math.floor(now)) for one in spec.schedules]
    return min((tick for tick in live if tick is not None and now - tick <= LATE), default=None)


def next_tick(spec: CronSpec, status: Status, created: int, now: float) -> int | None:
    """The next tick to come; None if there is none."""
    ticks = [one.following(math.floor(now), _anchor(status, created)) for one in spec.schedules]
    return min((tick for tick in ticks if tick is not None), default=None)


def verdict(cron: Object, spec: CronSpec, status: Status, now: float) -> Verdict:
    """Whether a tick runs, checked in Argo's order. Raises Refused if `when` can't be evaluated."""
    if spec.suspended:
        return Verdict.SUSPENDED
    if status.stopped:
        return Verdict.STOPPED
    if not may_run(spec.when, cron, status, now):
        return Verdict.NOT_WHEN
    if spec.concurrency == FORBID and status.active:
        return Verdict.FORBIDDEN
    return Verdict.RUN


def ends(cron: Object, spec: CronSpec, status: Status, now: float) -> bool:
    """Whether its `stopStrategy` ends it now. Raises Refused if that can't be evaluated."""
    return not status.stopped and is_over(spec.stop_when, cron, status, now)


def surplus(spec: CronSpec, children: Iterable[Child]) -> list[Child]:
    """The Workflows that have ended, beyond what the history limits keep; the latest to end are kept."""
    old = [child for child in children if child.ended and not child.going]
    old.sort(key=lambda child: child.finished, reverse=True)
    succeeded = [child for child in old if child.phase == "Succeeded"]
    failed = [child for child in old if child.phase != "Succeeded"]
    return succeeded[spec.keep_succeeded :] + failed[spec.keep_failed :]


def _anchor(status: Status, created: int) -> int:
    """What `@every` counts from."""
    return created if status.last is None else status.last


def _missed(spec: CronSpec, status: Status, since: int, now: float) -> int | None:
    """As Argo: the last missed tick of the first schedule that has one within the deadline."""
    new = status.schedule != spec.written
    if spec.starting_deadline is None or status.last is None or new:
        return None
    # Ticks before the deadline are too old, and the one of this very second has not been missed yet.
    begin, end = max(status.last, math.floor(now - spec.starting_deadline)), math.ceil(now) - 1
    found = (latest(one, since, begin, end) for one in spec.schedules)
    return next((tick for tick in found if tick is not None), None)
