"""A CronWorkflow's `status` in Argo's words: read, changed, and written as a merge patch. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from webhook.cron.child import Child
from webhook.model.contract import ARGO_CRON_COMPLETED, ARGO_CRON_SCHEDULE
from webhook.model.limits.cron import LONGEST_CONDITION
from webhook.model.moments import seconds_of, stamp
from webhook.model.objects import Object, annotations, labels, mappings, status_of

SPEC_ERROR, SUBMISSION_ERROR = "SpecError", "SubmissionError"
ACTIVE, STOPPED = "Active", "Stopped"


@dataclass(frozen=True)
class Status:
    """`last` is `lastScheduledTime` in seconds since the epoch; `schedule` the schedules that its last tick was of."""

    active: tuple[Object, ...] = ()
    last: int | None = None
    succeeded: int = 0
    failed: int = 0
    phase: str = ""
    conditions: tuple[Object, ...] = ()
    schedule: str | None = None
    completed: bool = False

    @property
    def stopped(self) -> bool:
        """Whether its `stopStrategy` has ended it."""
        return self.phase == STOPPED

    def with_error(self, kind: str, words: str) -> "Status":
        """With this condition, instead of one of its kind. A failed submission counts as a failure, as with Argo."""
        condition = {"type": kind, "status": "True", "message": words[:LONGEST_CONDITION]}
        others = self.without_error(kind).conditions
        return replace(self, conditions=(*others, condition), failed=self.failed + (kind == SUBMISSION_ERROR))

    def without_error(self, kind: str) -> "Status":
        """Without a condition of this kind."""
        return replace(self, conditions=tuple(one for one in self.conditions if one.get("type") != kind))

    def submitted(self, child: Child, tick: int) -> "Status":
        """After the Workflow of a tick has been made."""
        known = [one for one in self.active if one.get("uid") != child.uid]
        last = tick if self.last is None else max(self.last, tick)
        changed = replace(self, active=(*known, child.reference()), last=last, phase=self.phase or ACTIVE)
        return changed.without_error(SUBMISSION_ERROR)

    def absorbed(self, children: Iterable[Child], now: float) -> "Status":
        """As its Workflows show it: what has ended is counted and no longer active, what runs is active.

        A Workflow made by a controller that died before it wrote so is counted from here on. A tick that is yet to
        come was made by nobody but who wants the next ones not to run.
        """
        found = {child.uid: child for child in children}
        ticks = {uid: child.tick for uid, child in found.items() if child.tick is not None and child.tick <= now}
        unwritten = {uid for uid, tick in ticks.items() if tick > (self.last or 0)}
        before = [uid for one in self.active if isinstance(uid := one.get("uid"), str)]
        ended = [found[uid].phase for uid in {*before, *unwritten} if uid in found and found[uid].ended]
        kept = [one for one in self.active if one.get("uid") in found and not found[str(one["uid"])].ended]
        new = [child.reference() for uid, child in found.items() if not child.ended and uid not in before]
        return replace(
            self,
            active=(*kept, *new),
            last=max([*ticks.values(), *([] if self.last is None else [self.last])], default=None),
            succeeded=self.succeeded + ended.count("Succeeded"),
            failed=self.failed + len(ended) - ended.count("Succeeded"),
        )


def read_status(cron: Object) -> Status:
    """The status that a CronWorkflow shows; what makes no sense in it counts as missing."""
    status = status_of(cron)
    return Status(
        active=tuple(mappings(status.get("active"))),
        last=seconds_of(status.get("lastScheduledTime")),
        succeeded=_count(status.get("succeeded")),
        failed=_count(status.get("failed")),
        phase=str(status.get("phase") or ""),
        conditions=tuple(mappings(status.get("conditions"))),
        schedule=annotations(cron).get(ARGO_CRON_SCHEDULE),
        completed=labels(cron).get(ARGO_CRON_COMPLETED) == "true",
    )


def changes(before: Status, after: Status) -> Object:
    """The merge patch between two; empty if there is none."""
    patch: Object = {}
    old, new = _written(before), _written(after)
    changed = {key: value for key, value in new.items() if value != old[key]}
    if changed:
        patch["status"] = changed
    metadata: Object = {}
    if before.schedule != after.schedule:
        metadata["annotations"] = {ARGO_CRON_SCHEDULE: after.schedule}
    if before.completed != after.completed:
        metadata["labels"] = {ARGO_CRON_COMPLETED: "true" if after.completed else None}
    return {**patch, **({"metadata": metadata} if metadata else {})}


def _written(status: Status) -> Object:
    return {
        "active": list(status.active),
        "lastScheduledTime": None if status.last is None else stamp(status.last),
        "succeeded": status.succeeded,
        "failed": status.failed,
        "phase": status.phase or None,
        "conditions": list(status.conditions),
    }


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
