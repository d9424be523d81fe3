"""A placement as a value: the row that joins one origin to its run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from webhook.model.contract import Hold, State
from webhook.model.objects import texts
from webhook.model.run import Original
from webhook.model.submitter import Submitter, submitter_of
from webhook.references.model import References, references_of
from webhook.splitting.asked import NewSplit
from webhook.totals.demands import Demands, demands_of
from webhook.totals.model import Totals
from webhook.totals.shared_names import NOTHING_SHARED, Shared

log = structlog.get_logger(__name__)

_STATES, _HOLDS = frozenset(State), frozenset(Hold)

COLUMNS = (
    "placement, seq, state, name, generate_name, namespace, template, cluster, origin_uid, run_name, run_uid, phase, "
    "message, reason, cpu_milli, memory_bytes, pod_cpu_milli, pod_memory_bytes, policy, only_clusters, refused_by, "
    "identity, mirrored AS end_shown, run_kept, hold, demands AS takes, created_at, bound_at, placed_at, "
    "dispatched_at, ended_at, released_at, deleted_at, submitter, refers, lacked_by, shared_names AS shared"
)
"""All columns but `original` and `outcome`, which can have a megabyte each and are read only where they are needed."""

SWEEP_COLUMNS = (
    "placement, seq, state, mirrored AS end_shown, cluster, hold, name, namespace, origin_uid, "
    "CASE WHEN state = 'queued' THEN reason END AS reason"
)


@dataclass(frozen=True)
class NewPlacement:
    """What admission knows about a Workflow before it exists. `original` is the object as the user sent it.

    `notes` say what the totals leave out. `largest_pod` is set for an elastic Workflow: it can end where that fits.
    """

    placement: str
    namespace: str
    name: str | None
    generate_name: str | None
    template: str | None
    totals: Totals
    policy: str
    only_clusters: tuple[str, ...] | None
    identity: str
    original: Original
    hold: Hold = Hold.PLUGIN
    notes: tuple[str, ...] = ()
    submitter: Submitter | None = None
    largest_pod: Totals | None = None
    demands: Demands | None = None
    refers: References = ()
    shared: Shared = NOTHING_SHARED
    split: NewSplit | None = None
    """Set for one that runs as chunks. Its totals are what one of its items needs."""
    part: bool = False
    """A chunk: the whole was accepted, so that it waits where it would be refused."""


@dataclass(frozen=True)
class Placement:
    """One row of `workflows`."""

    placement: str
    seq: int
    state: State
    name: str | None
    generate_name: str | None
    namespace: str
    template: str | None
    cluster: str | None
    origin_uid: str | None
    run_name: str | None
    run_uid: str | None
    phase: str | None
    message: str | None
    reason: str | None
    totals: Totals
    largest_pod: Totals | None
    """What an elastic Workflow needs at least; None for one that needs room for its totals."""
    takes: Mapping[str, Any] | None
    """Its demands, as plain types. None for one of a Medea that did not know them: only its totals are known."""
    policy: str
    only_clusters: tuple[str, ...] | None
    refused_by: Mapping[str, str]
    identity: str
    end_shown: bool
    run_kept: bool
    """Whether the run may still have Medea's finalizer."""
    hold: Hold
    created_at: datetime
    bound_at: datetime | None
    placed_at: datetime | None
    dispatched_at: datetime | None
    ended_at: datetime | None
    released_at: datetime | None
    deleted_at: datetime | None
    submitter: Submitter | None = None
    """None if it is not known: an older Medea did not keep it."""
    refers: References = ()
    """What its target must have, besides templates."""
    lacked_by: tuple[str, ...] = ()
    """The targets that lacked some of that when it was last looked at in the queue, in order of their names."""
    shared: tuple[str, ...] = ()
    """The locks and caches that it names. None are known of a placement of a Medea that did not look for them."""

    @property
    def demands(self) -> Demands | None:
        """What it takes of every kind of quota; None if that is not known, or if a newer version has written it."""
        return read_demands(self.takes)

    @property
    def word(self) -> str:
        """The state as shown to people; for an ended placement, how it ended."""
        if self.state is State.ENDED:
            return (self.phase or "error").lower()
        return "placed" if self.state is State.RESERVED else str(self.state)


@dataclass(frozen=True)
class SweepRow:
    """The part of a row that the sweep needs. Kept small: the sweep reads all rows not gone, paged by `seq`."""

    placement: str
    seq: int
    state: State
    end_shown: bool
    cluster: str | None
    hold: Hold
    name: str | None
    namespace: str
    origin_uid: str | None
    reason: str | None
    """Why it waits, while it does."""


def placement_of(row: Mapping[str, Any]) -> Placement:
    """The placement from a row that was selected with COLUMNS."""
    fields = dict(row)
    totals = Totals(fields.pop("cpu_milli"), fields.pop("memory_bytes"))
    pod = fields.pop("pod_cpu_milli"), fields.pop("pod_memory_bytes")
    only, submitter = fields.pop("only_clusters"), submitter_of(fields.pop("submitter"))
    refers, lacked_by = references_of(fields.pop("refers")), tuple(texts(fields.pop("lacked_by")))
    shared = fields.pop("shared")
    return Placement(
        **_read(fields),
        totals=totals,
        largest_pod=None if pod[0] is None else Totals(*pod),
        only_clusters=None if only is None else tuple(only),
        submitter=submitter,
        refers=refers,
        lacked_by=lacked_by,
        shared=tuple(shared or ()),
    )


def read_demands(written: Any) -> Demands | None:
    """Demands from the ledger; None if there are none, or if a newer version has written them."""
    if written is None:
        return None
    try:
        return demands_of(written)
    except (ValueError, TypeError, AttributeError):
        log.warning("demands in the ledger can't be read", written=str(written)[:200])
        return None


def sweep_row_of(row: Mapping[str, Any]) -> SweepRow:
    """The value from a row that was selected with SWEEP_COLUMNS."""
    return SweepRow(**_read(row))


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    """Convert state and hold to enums. A value of a newer version makes the state UNKNOWN, so the row is left alone."""
    if row["state"] not in _STATES or row["hold"] not in _HOLDS:
        return {**row, "state": State.UNKNOWN, "hold": Hold.PLUGIN}
    return {**row, "state": State(row["state"]), "hold": Hold(row["hold"])}
