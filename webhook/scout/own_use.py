"""What our own runs used in a sample: the part of its use that reservations explain. Pure."""

from collections.abc import Iterable, Mapping

from webhook.scout.model import OwnUse, Reservation, Snapshot
from webhook.totals.model import NOTHING


def own_use(snapshots: Mapping[str, Snapshot], reservations: Iterable[Reservation]) -> dict[str, OwnUse]:
    """By target: what our runs used in its snapshot. One walk over `reservations`, which may be of any target.

    A run that ended before the sample was taken and still has pods in it is no longer held by a reservation, so its
    pods count like a stranger's until a sample shows them gone.

    What this gives stays right, or on the safe side, for as long as the sample is used. A run has its name in the
    ledger before its pods exist, so none of the sample's own runs is missed; one that ends meanwhile keeps explaining
    the sample's use, and its excess only counts a little too long.
    """
    found: dict[str, OwnUse] = {}
    explained: set[tuple[str, str]] = set()
    for reservation in reservations:
        name, snapshot = reservation.run_name, snapshots.get(reservation.cluster)
        seen = snapshot.own.get(name) if snapshot and name else None
        if snapshot is None or name is None or seen is None or not _in_sample(reservation, snapshot):
            continue
        so_far = found.get(snapshot.cluster, OwnUse())
        # A name may come back while the run before still shows: its use is explained by both, and counts once.
        used = NOTHING if (snapshot.cluster, name) in explained else seen
        explained.add((snapshot.cluster, name))
        live = reservation.released_at is None
        excess = (seen - reservation.totals).larger(NOTHING) if live else NOTHING
        found[snapshot.cluster] = OwnUse(so_far.used + used, so_far.excess + excess)
    return found


def _in_sample(reservation: Reservation, snapshot: Snapshot) -> bool:
    return reservation.released_at is None or reservation.released_at >= snapshot.sampled_at
