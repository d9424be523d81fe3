"""What our own runs used in a sample: the use by runs that have a reservation. Pure."""

from collections.abc import Iterable, Mapping
from itertools import repeat

from webhook.scout.limits import NO_OWN, Limit, Own
from webhook.scout.model import OwnUse, Reservation, Snapshot
from webhook.totals.model import NOTHING


def own_use(snapshots: Mapping[str, Snapshot], reservations: Iterable[Reservation]) -> dict[str, OwnUse]:
    """What our runs used in each target's snapshot. `reservations` may be of any target.

    If a run ended before the sample was taken but still has pods in it, its reservation is gone, so its pods count as
    foreign use until a sample shows them gone.

    The result stays right, or on the safe side, for as long as the sample is used. A run has its name in the ledger
    before its pods exist, so none of the sample's own runs is missed. If one ends meanwhile, its use in the sample is
    still ours, and its excess merely counts a little too long.
    """
    found: dict[str, OwnUse] = {}
    explained: set[tuple[str, str]] = set()
    for reservation in reservations:
        name, snapshot = reservation.run_name, snapshots.get(reservation.cluster)
        seen = snapshot.own.get(name) if snapshot and name else None
        if snapshot is None or name is None or seen is None or not _in_sample(reservation, snapshot):
            continue
        so_far = found.get(snapshot.cluster, OwnUse())
        # Two reservations may have the same run name, when it is reused while the earlier run is still in the sample:
        # the use counts once.
        counted = (snapshot.cluster, name) not in explained
        used = seen if counted else NOTHING
        explained.add((snapshot.cluster, name))
        live = reservation.released_at is None
        excess = (seen - reservation.totals).larger(NOTHING) if live else NOTHING
        limits = tuple(
            _of_limit(limit, reservation, before, counted=counted)
            for limit, before in zip(snapshot.limits, so_far.limits or repeat(NO_OWN), strict=False)
        )
        found[snapshot.cluster] = OwnUse(so_far.used + used, so_far.excess + excess, limits)
    return found


def _of_limit(limit: Limit, reservation: Reservation, before: Own, *, counted: bool) -> Own:
    """What `before` and a run use of one limit; its use is added if `counted`."""
    seen = limit.own.get(str(reservation.run_name), 0)
    live = reservation.released_at is None
    excess = max(seen - limit.reserves(reservation.demands), 0) if live else 0
    return Own(before.used + (seen if counted else 0), before.excess + excess)


def _in_sample(reservation: Reservation, snapshot: Snapshot) -> bool:
    """Whether the run has not ended before the sample was taken, for sure."""
    return reservation.released_at is None or reservation.released_at >= snapshot.sampled_at + snapshot.slack
