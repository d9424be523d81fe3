"""The decision, as a pure function: `decide` filters the targets one by one and lets a policy pick among the rest.

`free = hard − foreign use − Σ reservations`. Foreign use is the sample's total use minus what our own runs used in that
sample. Samples tell what others use, the ledger what we have promised, so neither a burst between two samples nor a
restart promises the same room twice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from random import Random

from webhook.model.limits.scout import REASON_LENGTH
from webhook.scout.lacking import none_has_it, unsure_of
from webhook.scout.limits import NO_OWN, Limit, Own, Room, room
from webhook.scout.model import (
    NOTHING_PROMISED,
    Decision,
    Obstacle,
    Outcome,
    OwnUse,
    Promised,
    Request,
    Snapshot,
    Target,
    Verdict,
    room_words,
)
from webhook.scout.policies import policy_called
from webhook.totals.demands import NO_DEMANDS
from webhook.totals.model import NOTHING, Totals, cores, gibibytes

_NO_OWN_USE = OwnUse()
_MORE = "and {} more targets"
_SHORTEST_SHARE = 100


def decide(
    request: Request,
    *,
    targets: Sequence[Target],
    snapshots: Mapping[str, Snapshot],
    reserved: Mapping[str, Promised],
    own: Mapping[str, OwnUse],
    claimed: Collection[str],
    now: float,
    max_age: float,
) -> Decision:
    """Choose a target for `request`: one where all of it can run at once, if there is one.

    By target, for the request's namespace: `snapshots`; `reserved`, what all live reservations hold; and `own`, what
    our own runs used in the snapshot. `claimed` names the targets that a Workflow queued earlier is waiting for. `now`
    is a time by the same clock as the times of samples, `max_age` in seconds: the most that a snapshot's age may be,
    whatever it is good for itself.
    """
    verdicts = tuple(
        _verdict(
            request,
            target,
            snapshots.get(target.name),
            reserved.get(target.name, NOTHING_PROMISED),
            own.get(target.name, _NO_OWN_USE),
            claimed,
            now,
            max_age,
        )
        for target in targets
    )
    fitting = [verdict for verdict in verdicts if verdict.removed_by is None]
    if fitting:
        # What is elastic ends sooner where all of it can run at once.
        wide = [verdict for verdict in fitting if _whole(request, verdict)]
        policy, pick = policy_called(request.policy)
        cluster = pick(wide or fitting, Random(request.seed))
        chosen = next(verdict for verdict in fitting if verdict.cluster == cluster)
        among = f"{policy} among {len(wide or fitting)} that fit"
        fits = "" if len(wide) == len(fitting) else " as a whole" if wide else ", a part of it at a time"
        unsure = unsure_of(targets, cluster)
        reason = f"{cluster}: free {_room(chosen.free)} of {_room(chosen.hard)}; {among}{fits}{unsure}"
        assert chosen.hard is not None
        holds = request.reserves(chosen.hard)
        return Decision(Outcome.PLACED, reason, policy, now, cluster, verdicts, request.notes, holds)
    impossible = _why_never(request, verdicts)
    outcome, reason = (Outcome.REFUSED, impossible) if impossible else (Outcome.QUEUED, _why_not_now(verdicts))
    return Decision(outcome, reason, request.policy, now, None, verdicts, request.notes)


def waits(decision: Decision) -> Decision:
    """The decision for a Workflow that was accepted before: it waits in cases where admission would refuse it."""
    return replace(decision, outcome=Outcome.QUEUED) if decision.outcome is Outcome.REFUSED else decision


def free_room(snapshot: Snapshot, reserved: Promised, own: OwnUse) -> tuple[Totals, tuple[Room, ...]]:
    """What is free on a target, of CPU and memory and of other limits; negative if others use more than was left."""
    rooms = (room(limit, NO_DEMANDS, reserved.held, seen) for limit, seen in _limits(snapshot, own))
    return _numbers(snapshot, reserved.totals, own)[2], tuple(rooms)


def _numbers(snapshot: Snapshot, reserved: Totals, own: OwnUse) -> tuple[Totals, Totals, Totals]:
    """Foreign use, what live placements hold, and what is free.

    A live run that uses more than it reserved counts with what it uses.
    """
    foreign, held = snapshot.used, reserved
    if own is not _NO_OWN_USE:
        foreign, held = (foreign - own.used).larger(NOTHING), reserved + own.excess
    hard = snapshot.hard
    free = Totals(
        hard.cpu_milli - foreign.cpu_milli - held.cpu_milli,
        hard.memory_bytes - foreign.memory_bytes - held.memory_bytes,
    )
    return foreign, held, free


def _needed_rooms(snapshot: Snapshot, request: Request, reserved: Promised, own: OwnUse) -> Iterator[Room]:
    """The numbers of the other limits. What is not needed limits nothing, however full it is."""
    demands = request.takes
    for limit, seen in _limits(snapshot, own):
        if limit.peak(demands):
            yield room(limit, demands, reserved.held, seen, elastic=request.elastic)


def _limits(snapshot: Snapshot, own: OwnUse) -> Iterable[tuple[Limit, Own]]:
    """Each of the other limits, with what our own runs used of it."""
    return zip(snapshot.limits, own.limits or repeat(NO_OWN), strict=False)


def _verdict(
    request: Request,
    target: Target,
    snapshot: Snapshot | None,
    reserved: Promised,
    own: OwnUse,
    claimed: Collection[str],
    now: float,
    max_age: float,
) -> Verdict:
    if request.only is not None and target.name not in request.only:
        return Verdict(target.name, "not among the clusters asked for", Obstacle.NOT_ASKED_FOR)
    if target.name in request.refused_by:
        return Verdict(target.name, f"it refused: {request.refused_by[target.name]}", Obstacle.REFUSED)
    closed = _closed(request, target)
    if snapshot is None and target.shortfall.lacks:
        return Verdict(target.name, target.shortfall.lacks, Obstacle.LACKING)
    if snapshot is None and closed:
        return Verdict(target.name, closed, Obstacle.CLOSED)
    if snapshot is None and target.unusable:
        return Verdict(target.name, target.unusable, Obstacle.UNUSABLE)
    if snapshot is None:
        return Verdict(target.name, f"no quota known for namespace {request.namespace}", Obstacle.UNKNOWN)
    foreign, held, free = _numbers(snapshot, reserved.totals, own)
    rooms = tuple(_needed_rooms(snapshot, request, reserved, own)) if snapshot.limits else ()
    wants = request.wants(snapshot.hard, foreign)
    obstacle, removed_by = _in_the_way(request, target, snapshot, wants, free, rooms, now, max_age)
    if obstacle is None and target.name in claimed:
        obstacle, removed_by = Obstacle.CLAIMED, "its room is kept for what was queued earlier"
    return Verdict(
        target.name,
        removed_by,
        obstacle,
        snapshot.hard,
        snapshot.used,
        foreign,
        held,
        free,
        snapshot.age(now),
        snapshot.source,
        rooms,
    )


def _in_the_way(
    request: Request,
    target: Target,
    snapshot: Snapshot,
    wants: Totals,
    free: Totals,
    rooms: Sequence[Room],
    now: float,
    max_age: float,
) -> tuple[Obstacle, str] | tuple[None, None]:
    """What keeps the request from a target whose quotas are known, and the words for it.

    The order decides which reason people read: what no waiting can change comes first. An old quota may have changed.
    """
    stale = snapshot.is_stale(now, max_age)
    small = next((one for one in rooms if one.never), None)
    full = next((one for one in rooms if one.need > one.free), None)
    if not stale and not request.least.fits(snapshot.hard):
        return Obstacle.TOO_SMALL, f"its whole quota is {_room(snapshot.hard)}"
    if not stale and small is not None:
        return Obstacle.TOO_SMALL, small.too_small
    if target.shortfall.lacks:
        return Obstacle.LACKING, target.shortfall.lacks
    tied = request.tied_elsewhere(target.name)
    if tied:
        return Obstacle.TIED, tied
    closed = _closed(request, target)
    if closed:
        return Obstacle.CLOSED, closed
    if target.unusable:
        return Obstacle.UNUSABLE, target.unusable
    if target.shortfall.pending:
        return Obstacle.UNUSABLE, target.shortfall.pending
    if stale:
        allowed = min(snapshot.good_for, max_age)
        age = snapshot.age(now)
        return Obstacle.STALE, f"its last sample is {age:.0f} s old, more than {allowed:.0f} s"
    if not wants.fits(free):
        return Obstacle.FULL, f"free {_room(Totals(max(free.cpu_milli, 0), max(free.memory_bytes, 0)))}"
    return (None, None) if full is None else (Obstacle.FULL, full.lacks)


def _whole(request: Request, verdict: Verdict) -> bool:
    """Whether all of it can run at once there."""
    assert verdict.free is not None
    return request.totals.fits(verdict.free) and all(one.whole for one in verdict.limits)


def _closed(request: Request, target: Target) -> str | None:
    """Why nothing may be placed there now: nothing at all, or nothing of this submitter's."""
    return target.closed or request.barred.get(target.name)


def _why_not_now(verdicts: Sequence[Verdict]) -> str:
    return _listed([f"{verdict.cluster}: {verdict.removed_by}" for verdict in verdicts])


def _listed(parts: Sequence[str]) -> str:
    """`parts` joined in at most about REASON_LENGTH characters: each is cut to its share, and the last are counted."""
    share = max(REASON_LENGTH // max(len(parts), 1) - 2, _SHORTEST_SHARE)
    shown, length = list[str](), len(_MORE)
    for part in parts:
        cut = part if len(part) <= share else part[: share - 1] + "…"
        length += len(cut) + 2
        if length > REASON_LENGTH and shown:
            return "; ".join([*shown, _MORE.format(len(parts) - len(shown))])
        shown.append(cut)
    return "; ".join(shown)


def _why_never(request: Request, verdicts: Sequence[Verdict]) -> str | None:
    """The reason why no target that the request may use could ever hold it, even empty; None if one might."""
    open_to_it = [verdict for verdict in verdicts if request.may_use(verdict.cluster)]
    if not open_to_it:
        return _nothing_left(request, verdicts)
    if none_has_it(open_to_it):
        why = _listed([f"{verdict.cluster}: {verdict.removed_by}" for verdict in open_to_it])
        return f"no target has all that it refers to: {why}"
    known = [
        (verdict.cluster, verdict.hard)
        for verdict in open_to_it
        if verdict.obstacle is Obstacle.TOO_SMALL and verdict.hard is not None
    ]
    if len(known) < len(open_to_it):
        return None
    limited = [one for one in open_to_it if any(room.never for room in one.limits)]
    if limited:
        why = _listed([f"{verdict.cluster}: {verdict.removed_by}" for verdict in open_to_it])
        return f"it can never fit: {why}"
    cluster, hard = min(known, key=lambda pair: _excess(request.least, pair[1]))
    lacking = _lacking(request.least, hard)
    what = "its largest pod" if request.elastic else "it"
    return (
        f"{what} needs {_room(request.least)} and can never fit: the nearest quota is {_room(hard)} on {cluster}; "
        f"{lacking} less, or a quota larger by that, would make it fit"
    )


def _nothing_left(request: Request, verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "no target cluster is registered at this front door"
    refusals = _listed([f"{cluster} refused: {words}" for cluster, words in sorted(request.refused_by.items())])
    return refusals or "none of the clusters asked for is registered"


def _excess(totals: Totals, hard: Totals) -> float:
    """The ratio of need to quota, for the resource where it is larger; a quota of zero counts as one unit."""
    return max(totals.cpu_milli / max(hard.cpu_milli, 1), totals.memory_bytes / max(hard.memory_bytes, 1))


def _lacking(totals: Totals, hard: Totals) -> str:
    over = (totals - hard).larger(NOTHING)
    parts = [f"{cores(over.cpu_milli)} cpu"] if over.cpu_milli else []
    return " and ".join([*parts, *([gibibytes(over.memory_bytes)] if over.memory_bytes else [])])


def _room(totals: Totals | None) -> str:
    assert totals is not None
    return room_words(totals.cpu_milli, totals.memory_bytes)
