"""The inputs of a decision, and the decision itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import inf
from typing import Any

from webhook.references.model import NO_SHORTFALL, References, Shortfall
from webhook.scout.limits import ONE_MORE, Held, Holders, Limit, Own, Room, never_fits
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, NO_DEMANDS, Demands, one_kind
from webhook.totals.model import NO_DEFAULTS, NOTHING, Defaults, Totals, cores, gibibytes

UNLIMITED = Totals(10**9, 1 << 60)
"""For a resource that no quota limits: practically infinite, but still an integer."""


def room_words(cpu_milli: int, memory_bytes: int) -> str:
    """An amount of room, as people read it."""
    cpu = "any" if cpu_milli > UNLIMITED.cpu_milli // 2 else cores(cpu_milli)
    memory = "any memory" if memory_bytes > UNLIMITED.memory_bytes // 2 else gibibytes(memory_bytes)
    return f"{cpu} cpu, {memory}"


class Source(StrEnum):
    """Which eye of the scout a snapshot comes from."""

    PROMETHEUS = "prometheus"
    APISERVER = "apiserver"
    """The target's own apiserver, by watches."""


@dataclass(frozen=True)
class Snapshot:
    """One target's quota for one namespace, as it was at `sampled_at`: seconds by the scout's own clock.

    It may have been up to `slack` seconds later, for as long as the answer took.

    `own` is what the pods of each Workflow used at that moment, by the Workflow's name on the target. `defaults` are
    the limits that the namespace's LimitRange gives to containers without any. After `good_for` seconds the snapshot is
    too old to be used.

    `hard` and `used` are the limits of CPU and memory of the quotas that count all pods; `limits` are all others.
    """

    cluster: str
    namespace: str
    sampled_at: float
    hard: Totals
    used: Totals
    own: Mapping[str, Totals] = field(default_factory=dict)
    defaults: Defaults = NO_DEFAULTS
    source: Source = Source.PROMETHEUS
    good_for: float = inf
    slack: float = 0.0
    limits: tuple[Limit, ...] = ()

    def age(self, now: float) -> float:
        """How many seconds old it is at `now`, to the millisecond."""
        return round(now - self.sampled_at, 3)

    def is_stale(self, now: float, max_age: float) -> bool:
        """Whether it is too old to be used at `now`; `max_age` seconds are the most that is allowed."""
        return self.age(now) > min(self.good_for, max_age)


@dataclass(frozen=True)
class Quotas:
    """What a target's quotas allow in a namespace: the limits of CPU and memory, and all others."""

    hard: Totals
    limits: tuple[Limit, ...] = ()

    def allow(self, request: "Request") -> bool:
        """Whether a Workflow could end there if nothing else ran."""
        return request.least.fits(self.hard) and not never_fits(self.limits, request.takes, elastic=request.elastic)


@dataclass(frozen=True)
class Promised:
    """What the live reservations on a target hold. `held` is known where a limit of any target needs it.

    `totals` are what is reserved. `held` has the peaks: of each a limit holds no more than all of itself.
    """

    totals: Totals = NOTHING
    held: Held = field(default_factory=dict)

    def plus(self, totals: Totals, demands: Demands) -> "Promised":
        """With one more reservation, whose run does not exist yet."""
        held = {**self.held, demands: self.held.get(demands, Holders()) + ONE_MORE}
        return Promised(self.totals + totals, held)


NOTHING_PROMISED = Promised()


def plain_demands(totals: Totals, largest: Totals | None = None) -> Demands:
    """The demands of which only the limits of CPU and memory are known; without `largest`, of a gang."""
    return one_kind(_amounts(totals), None if largest is None else _amounts(largest))


def _amounts(totals: Totals) -> dict[str, int]:
    return {LIMITS_CPU: totals.cpu_milli, LIMITS_MEMORY: totals.memory_bytes}


@dataclass(frozen=True)
class Reservation:
    """The room that a placement holds on a target.

    `released_at` is set once its run has ended: seconds by the scout's own clock.
    """

    placement: str
    cluster: str
    totals: Totals
    run_name: str | None = None
    released_at: float | None = None
    demands: Demands = NO_DEMANDS


@dataclass(frozen=True)
class OwnUse:
    """What our own runs used in one sample.

    `used` is the use of all runs that have a reservation; `excess` is what live ones used beyond their reservation.
    `limits` are the same for each of the snapshot's limits, in their order.
    """

    used: Totals = NOTHING
    excess: Totals = NOTHING
    limits: tuple[Own, ...] = ()


@dataclass(frozen=True)
class Target:
    """A registered cluster, as it is for the request's namespace.

    `unusable` says why it can't be used now, `closed` why nothing may be placed there; None if it can or may.
    `shortfall` is what it lacks of what the request refers to.
    """

    name: str
    unusable: str | None = None
    closed: str | None = None
    shortfall: Shortfall = NO_SHORTFALL


@dataclass(frozen=True)
class Tie:
    """Why a Workflow may go to no target but `cluster`: it names a lock or a cache that is in use there.

    `words` say which, and by whom. One that is `lasting` ties only while its target can be used.
    """

    cluster: str
    words: str
    lasting: bool = False


@dataclass(frozen=True)
class Request:
    """What is to be placed.

    `only` restricts the targets (None allows all). `refused_by` holds the targets that have refused this placement,
    with their words, `barred` those that permit its submitter nothing for now. `seed` makes random choices repeatable.
    `notes` say what the totals leave out. `largest_pod` is set for an elastic Workflow, which can end a few pods at a
    time.
    """

    namespace: str
    totals: Totals
    seed: str
    policy: str = "random"
    only: frozenset[str] | None = None
    refused_by: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    barred: Mapping[str, str] = field(default_factory=dict)
    largest_pod: Totals | None = None
    demands: Demands | None = None
    """What it takes of every kind of quota; None if only its totals are known."""
    refers: References = ()
    """What its target must have."""
    shared: tuple[str, ...] = ()
    """The locks and caches that it names."""
    ties: tuple[Tie, ...] = ()

    @property
    def elastic(self) -> bool:
        """Whether it can end a few pods at a time."""
        return self.largest_pod is not None

    @property
    def takes(self) -> Demands:
        """What is known of that."""
        return plain_demands(self.totals, self.largest_pod) if self.demands is None else self.demands

    @property
    def least(self) -> Totals:
        """What a quota must hold for it to end there."""
        return self.totals if self.largest_pod is None else self.largest_pod

    def wants(self, hard: Totals, foreign: Totals) -> Totals:
        """What must be free on a target, given its quota and what others use.

        An elastic Workflow that is wider than what others leave takes all of that, so that nobody else is promised
        room in which its pods may appear, nor it any that was promised before.
        """
        if self.largest_pod is None:
            return self.totals
        return self.totals.smaller((hard - foreign).larger(self.largest_pod))

    def reserves(self, hard: Totals) -> Totals | None:
        """What is reserved for it in this quota; None for its totals."""
        return None if self.totals.fits(hard) else self.totals.smaller(hard)

    def may_use(self, cluster: str) -> bool:
        """Whether the request may go to that target at all."""
        return (self.only is None or cluster in self.only) and cluster not in self.refused_by

    def tied_elsewhere(self, cluster: str) -> str | None:
        """What ties it to another target than this one, in words; None if nothing does."""
        return next((tie.words for tie in self.ties if tie.cluster != cluster), None)


class Outcome(StrEnum):
    PLACED = "placed"
    QUEUED = "queued"
    SPLIT = "split"
    """It runs as chunks, which are decided about one by one."""
    REFUSED = "refused"


class Obstacle(StrEnum):
    """Why a target was ruled out."""

    NOT_ASKED_FOR = "not_asked_for"
    REFUSED = "refused"
    """The target has refused this placement before."""
    UNKNOWN = "unknown"
    """The quota of the namespace there is not known."""
    TOO_SMALL = "too_small"
    UNUSABLE = "unusable"
    CLOSED = "closed"
    """It does not accept work from the namespace, permits nothing to who submitted, or is being drained."""
    LACKING = "lacking"
    """Something that it refers to does not exist there."""
    TIED = "tied"
    """A lock or a cache that it names is in use on another target."""
    STALE = "stale"
    FULL = "full"
    CLAIMED = "claimed"
    """There is room, but a Workflow queued earlier waits for it."""


WAITED_FOR = frozenset({Obstacle.FULL, Obstacle.CLAIMED})
"""A queued Workflow waits for the targets with these obstacles, where only room is missing, and for no others."""


@dataclass(frozen=True)
class Verdict:
    """One target's numbers in one decision. `removed_by` says why it was ruled out, `obstacle` is the kind of reason.

    Both are None if the request fits there.
    """

    cluster: str
    removed_by: str | None = None
    obstacle: Obstacle | None = None
    hard: Totals | None = None
    used: Totals | None = None
    foreign: Totals | None = None
    reserved: Totals | None = None
    free: Totals | None = None
    sample_age: float | None = None
    source: Source | None = None
    limits: tuple[Room, ...] = ()
    """The numbers of all other limits of which the request needs something."""

    def as_json(self) -> dict[str, Any]:
        """Plain types; CPU in thousandths, memory in bytes, the age in seconds."""
        totals = {name: getattr(self, name) for name in ("hard", "used", "foreign", "reserved", "free")}
        return {
            "cluster": self.cluster,
            "removed_by": self.removed_by,
            "obstacle": self.obstacle,
            **{name: None if one is None else _totals_json(one) for name, one in totals.items()},
            "sample_age": self.sample_age,
            "source": self.source,
            **({"limits": [asdict(one) for one in self.limits]} if self.limits else {}),
        }


@dataclass(frozen=True)
class Decision:
    """The outcome, with every target's numbers. `reason` is one line for people, `notes` are the request's.

    `place` says where in a long queue it waits; it is empty in a short one, and for who does not wait.
    `reserved` is what is reserved on the chosen target; None if that is what the Workflow needs at its peak.
    """

    outcome: Outcome
    reason: str
    policy: str
    decided_at: float
    cluster: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    reserved: Totals | None = None
    place: str = ""

    @property
    def shown(self) -> str:
        """Why it is where it is, as `argo get` shows it."""
        return self.place or self.reason

    def as_json(self) -> dict[str, Any]:
        """For the ledger and the API: plain types; CPU in thousandths, memory in bytes, times in Unix seconds."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "policy": self.policy,
            "decided_at": self.decided_at,
            "cluster": self.cluster,
            "verdicts": [verdict.as_json() for verdict in self.verdicts],
            "notes": list(self.notes),
            "reserved": None if self.reserved is None else _totals_json(self.reserved),
        }


def _totals_json(totals: Totals) -> dict[str, int]:
    return {"cpu_milli": totals.cpu_milli, "memory_bytes": totals.memory_bytes}
