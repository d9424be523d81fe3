"""What a decision is made from, and what it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from webhook.totals.model import NO_DEFAULTS, Defaults, Totals


@dataclass(frozen=True)
class Snapshot:
    """One target's quota for one namespace, as Prometheus saw it at `sampled_at` (Unix seconds).

    `own` is what the pods of each Workflow used at that same moment, by the Workflow's name on the target. `defaults`
    are the limits that the namespace's LimitRange gives to containers without.
    """

    cluster: str
    namespace: str
    sampled_at: float
    hard: Totals
    used: Totals
    own: Mapping[str, Totals] = field(default_factory=dict)
    defaults: Defaults = NO_DEFAULTS


@dataclass(frozen=True)
class Reservation:
    """What a placement holds against a target. `released_at` (Unix seconds) is set once its run has ended."""

    placement: str
    cluster: str
    totals: Totals
    run_name: str | None = None
    released_at: float | None = None


@dataclass(frozen=True)
class Target:
    """A registered cluster; `unusable` says why nothing can be placed there at all."""

    name: str
    unusable: str | None = None


@dataclass(frozen=True)
class Request:
    """What is to be placed.

    `only` narrows the targets (None: all). `refused_by` holds the targets that have already refused this very
    placement, with their words. `seed` makes a policy's chance repeatable. `notes` say what its totals leave out.
    """

    namespace: str
    totals: Totals
    seed: str
    policy: str = "random"
    only: frozenset[str] | None = None
    refused_by: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def may_use(self, cluster: str) -> bool:
        """Whether the request is open to that target at all."""
        return (self.only is None or cluster in self.only) and cluster not in self.refused_by


class Outcome(StrEnum):
    PLACED = "placed"
    QUEUED = "queued"
    REFUSED = "refused"


@dataclass(frozen=True)
class Verdict:
    """One target's numbers in one decision. `removed_by` is the filter that took it out, in words."""

    cluster: str
    removed_by: str | None = None
    hard: Totals | None = None
    used: Totals | None = None
    foreign: Totals | None = None
    reserved: Totals | None = None
    free: Totals | None = None
    sample_age: float | None = None


@dataclass(frozen=True)
class Decision:
    """The outcome, with every target's numbers. `reason` is one line for people, `notes` are the request's."""

    outcome: Outcome
    reason: str
    policy: str
    decided_at: float
    cluster: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the ledger and the API: plain types; CPU in thousandths, memory in bytes, times in Unix seconds."""
        return asdict(self)
