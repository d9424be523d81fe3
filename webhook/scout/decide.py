"""The decision: a pure function. `decide` filters the targets one by one and lets a policy pick among the rest.

`free = hard − foreign use − Σ reservations`. Foreign use is the sample's use less what our own runs used in that same
sample. Prometheus corrects for others, the ledger is the truth about ourselves, so neither a burst between two scrapes
nor a restart can promise the same room twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

from webhook.scout.model import Decision, Outcome, Request, Reservation, Snapshot, Target, Verdict
from webhook.scout.policies import POLICIES
from webhook.totals.model import NOTHING, Totals, cores, gibibytes


def decide(
    request: Request,
    *,
    targets: Sequence[Target],
    snapshots: Mapping[str, Snapshot],
    reservations: Iterable[Reservation],
    claimed: Mapping[str, str],
    now: float,
    max_age: float,
) -> Decision:
    """Choose a target for `request`.

    `snapshots` are those of the request's namespace, by target; `reservations` likewise. `claimed` names the targets
    that a Workflow queued earlier is waiting for, with words that say so. `now` is Unix seconds, `max_age` seconds.
    """
    held = list(reservations)
    verdicts = tuple(
        _verdict(request, target, snapshots.get(target.name), held, claimed, now, max_age) for target in targets
    )
    fitting = [verdict for verdict in verdicts if verdict.removed_by is None]
    if fitting:
        cluster = POLICIES[request.policy](fitting, Random(request.seed))
        chosen = next(verdict for verdict in fitting if verdict.cluster == cluster)
        among = f"{request.policy} among {len(fitting)} that fit"
        reason = f"{cluster}: free {_room(chosen.free)} of {_room(chosen.hard)}; {among}"
        return Decision(Outcome.PLACED, reason, request.policy, now, cluster, verdicts, request.notes)
    impossible = _why_never(request, verdicts)
    if impossible:
        return Decision(Outcome.REFUSED, impossible, request.policy, now, None, verdicts, request.notes)
    reason = "; ".join(f"{verdict.cluster}: {verdict.removed_by}" for verdict in verdicts)
    reason = reason or "no target is registered"
    return Decision(Outcome.QUEUED, reason, request.policy, now, None, verdicts, request.notes)


def _verdict(
    request: Request,
    target: Target,
    snapshot: Snapshot | None,
    reservations: Sequence[Reservation],
    claimed: Mapping[str, str],
    now: float,
    max_age: float,
) -> Verdict:
    if request.only is not None and target.name not in request.only:
        return Verdict(target.name, removed_by="not among the clusters asked for")
    if target.name in request.refused_by:
        return Verdict(target.name, removed_by=f"it refused: {request.refused_by[target.name]}")
    if snapshot is None:
        return Verdict(target.name, removed_by=target.unusable or f"no quota known for namespace {request.namespace}")
    foreign, reserved = foreign_use(snapshot, reservations), held_room(snapshot, reservations)
    verdict = Verdict(
        cluster=target.name,
        hard=snapshot.hard,
        used=snapshot.used,
        foreign=foreign,
        reserved=reserved,
        free=snapshot.hard - foreign - reserved,
        sample_age=round(now - snapshot.sampled_at, 3),
    )
    for rule in _RULES:
        removed_by = rule(request, target, verdict, claimed, max_age)
        if removed_by:
            return Verdict(**{**vars(verdict), "removed_by": removed_by})
    return verdict


def foreign_use(snapshot: Snapshot, reservations: Iterable[Reservation]) -> Totals:
    """The sample's use less that of our own runs in the same sample.

    A run that ended before the sample was taken and still has pods in it is no longer held by a reservation, so its
    pods count like a stranger's until a sample shows them gone.
    """
    own = NOTHING
    for reservation in _on(snapshot, reservations):
        if reservation.released_at is None or reservation.released_at >= snapshot.sampled_at:
            own = own + _seen(snapshot, reservation)
    return (snapshot.used - own).larger(NOTHING)


def held_room(snapshot: Snapshot, reservations: Iterable[Reservation]) -> Totals:
    """Σ reservations of live placements; one whose pods use more than it reserved counts with what they use."""
    held = NOTHING
    for reservation in _on(snapshot, reservations):
        if reservation.released_at is None:
            held = held + reservation.totals.larger(_seen(snapshot, reservation))
    return held


def _on(snapshot: Snapshot, reservations: Iterable[Reservation]) -> Iterable[Reservation]:
    return (reservation for reservation in reservations if reservation.cluster == snapshot.cluster)


def _seen(snapshot: Snapshot, reservation: Reservation) -> Totals:
    return snapshot.own.get(reservation.run_name, NOTHING) if reservation.run_name else NOTHING


_Rule = Callable[[Request, Target, Verdict, Mapping[str, str], float], str | None]


def _too_small(request: Request, _: Target, verdict: Verdict, __: Mapping[str, str], ___: float) -> str | None:
    assert verdict.hard is not None
    if request.totals.fits(verdict.hard):
        return None
    return f"its whole quota is {_room(verdict.hard)}"


def _unusable(_: Request, target: Target, __: Verdict, ___: Mapping[str, str], ____: float) -> str | None:
    return target.unusable


def _stale(_: Request, __: Target, verdict: Verdict, ___: Mapping[str, str], max_age: float) -> str | None:
    assert verdict.sample_age is not None
    if verdict.sample_age <= max_age:
        return None
    return f"its last sample is {verdict.sample_age:.0f} s old, more than {max_age:.0f} s"


def _full(request: Request, _: Target, verdict: Verdict, __: Mapping[str, str], ___: float) -> str | None:
    assert verdict.free is not None
    return None if request.totals.fits(verdict.free) else f"free {_room(verdict.free)}"


def _claimed(_: Request, target: Target, __: Verdict, claimed: Mapping[str, str], ___: float) -> str | None:
    return claimed.get(target.name)


# The order decides which reason people read: what no waiting can change comes first.
_RULES: tuple[_Rule, ...] = (_too_small, _unusable, _stale, _full, _claimed)


def _why_never(request: Request, verdicts: Sequence[Verdict]) -> str | None:
    """Words when no target that the request may use could hold it even when empty; None while any might."""
    open_to_it = [verdict for verdict in verdicts if request.may_use(verdict.cluster)]
    if not open_to_it:
        return _nothing_left(request, verdicts)
    known = [(verdict.cluster, verdict.hard) for verdict in open_to_it if verdict.hard is not None]
    if len(known) < len(open_to_it) or any(request.totals.fits(hard) for _, hard in known):
        return None
    cluster, hard = min(known, key=lambda pair: _excess(request.totals, pair[1]))
    lacking = _lacking(request.totals, hard)
    return (
        f"it needs {_room(request.totals)} and can never fit: the nearest quota is {_room(hard)} on {cluster}; "
        f"{lacking} less, or a quota larger by that, would make it fit"
    )


def _nothing_left(request: Request, verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "no target cluster is registered at this front door"
    refusals = "; ".join(f"{cluster} refused: {words}" for cluster, words in sorted(request.refused_by.items()))
    return refusals or "none of the clusters asked for is registered"


def _excess(totals: Totals, hard: Totals) -> float:
    """How many times over the quota the larger of the two resources is; an empty quota counts as a unit."""
    return max(totals.cpu_milli / max(hard.cpu_milli, 1), totals.memory_bytes / max(hard.memory_bytes, 1))


def _lacking(totals: Totals, hard: Totals) -> str:
    over = (totals - hard).larger(NOTHING)
    parts = [f"{cores(over.cpu_milli)} cpu"] if over.cpu_milli else []
    return " and ".join([*parts, *([gibibytes(over.memory_bytes)] if over.memory_bytes else [])])


def _room(totals: Totals | None) -> str:
    assert totals is not None
    return f"{cores(totals.cpu_milli)} cpu, {gibibytes(totals.memory_bytes)}"
