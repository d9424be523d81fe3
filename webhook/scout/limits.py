"""The limits of a target's quotas one by one, and what is left of each for a Workflow. Pure.

`free = hard − what others use − what live reservations hold`, as for CPU and memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from webhook.model.limits.scout import LIMIT_PEAKS
from webhook.scout.scopes import Scopes, may_count_claim, may_count_pod
from webhook.totals.charges import COUNT_PODS, is_object_count, is_of_claims, is_of_pods
from webhook.totals.demands import PODS, Demands
from webhook.totals.model import said


@dataclass(frozen=True)
class Limit:
    """The hard limit of one resource in one quota, what was used of it, and by the pods of which Workflow.

    `used` is of all that the quota counts; `own` by the Workflow's name on the target.
    """

    quota: str
    resource: str
    hard: int
    used: int
    scopes: Scopes = ()
    own: Mapping[str, int] = field(default_factory=dict)

    @property
    def of_pods(self) -> bool:
        """Whether it limits what pods take, and not numbers of objects or storage."""
        return is_of_pods(self.resource)

    def peak(self, demands: Demands) -> int:
        """How much of it a Workflow needs at its peak."""
        return _peak(self.resource, self.scopes, demands)

    def largest(self, demands: Demands) -> int:
        """How much of it the Workflow needs at least at some time: for its largest pod, or for its objects."""
        return _largest(self.resource, self.scopes, demands)

    def least(self, demands: Demands, *, elastic: bool) -> int:
        """How much of it must be allowed for the Workflow to end: it needs no more at once if it is elastic."""
        return self.largest(demands) if elastic else self.peak(demands)

    def reserves(self, demands: Demands) -> int:
        """How much of it a live reservation holds: only what is elastic is wider than the whole limit."""
        return min(self.peak(demands), self.hard)

    def holding(self, holders: "Holders") -> int:
        """How many of them hold something that is not in the use as their own: objects that exist are."""
        if self.of_pods:
            return holders.all
        return holders.without_claims if is_of_claims(self.resource) else holders.without_run

    @property
    def never_refuses(self) -> bool:
        """Whether it only says for how many objects there is no room now: what has ended goes some time."""
        return is_object_count(self.resource)


@lru_cache(LIMIT_PEAKS)
def _peak(resource: str, scopes: Scopes, demands: Demands) -> int:
    """Kept, since what hundreds of reservations hold is the same, and so are the limits of many targets."""
    if is_of_pods(resource):
        return demands.peak(_of_demands(resource), lambda traits: may_count_pod(scopes, traits))
    if is_of_claims(resource):
        return demands.held(resource, lambda name: may_count_claim(scopes, name))
    # A quota with scopes counts pods or claims and nothing else.
    return 0 if scopes else demands.held(resource, lambda _: True)


@lru_cache(LIMIT_PEAKS)
def _largest(resource: str, scopes: Scopes, demands: Demands) -> int:
    """Kept likewise. What is no pod is held from beginning to end."""
    if is_of_pods(resource):
        return demands.largest(_of_demands(resource), lambda traits: may_count_pod(scopes, traits))
    return _peak(resource, scopes, demands)


def _of_demands(resource: str) -> str:
    return PODS if resource == COUNT_PODS else resource


@dataclass(frozen=True)
class Holders:
    """How many live reservations there are of one kind: in all, without a run, and without one for a while."""

    all: int = 0
    without_run: int = 0
    without_claims: int = 0
    """Those whose claims may not exist yet."""

    def __add__(self, other: "Holders") -> "Holders":
        return Holders(
            self.all + other.all,
            self.without_run + other.without_run,
            self.without_claims + other.without_claims,
        )


ONE_MORE = Holders(1, 1, 1)
Held = Mapping[Demands, Holders]
"""The live reservations on one target, by what they hold."""


@dataclass(frozen=True)
class Own:
    """What our own runs used of a limit in a sample, and what live ones used beyond their reservation."""

    used: int = 0
    excess: int = 0


NO_OWN = Own()


@dataclass(frozen=True)
class Room:
    """One limit's numbers in one decision."""

    quota: str
    resource: str
    hard: int
    used: int
    foreign: int
    reserved: int
    free: int
    need: int
    """What must be free: of an elastic Workflow that is wider than what others leave, all of that."""
    least: int
    """What must be allowed for it to end there."""
    peak: int
    never: bool
    """Whether it would not even fit if nothing else were there."""

    @property
    def whole(self) -> bool:
        """Whether all of it can run at once there now."""
        return self.peak <= self.free

    @property
    def narrow(self) -> bool:
        """Whether all of it can never run at once there."""
        return self.peak > self.hard

    @property
    def lacks(self) -> str:
        """Why the Workflow does not fit there now."""
        free, hard, need = (self._said(one) for one in (max(self.free, 0), self.hard, self.need))
        return f"quota {self.quota} has {free} of {hard} {self.resource} free, it needs {need}"

    @property
    def too_small(self) -> str:
        """Why it will never fit there."""
        return f"quota {self.quota} allows {self._said(self.hard)} {self.resource}, it needs {self._said(self.least)}"

    @property
    def a_part(self) -> str:
        """Why only a part of it runs at a time there."""
        return f"quota {self.quota} allows {self._said(self.hard)} {self.resource} of {self._said(self.peak)}"

    def _said(self, amount: int) -> str:
        return said(self.resource, amount)


def room(limit: Limit, demands: Demands, held: Held, own: Own, *, elastic: bool = False) -> Room:
    """The numbers of one limit for a Workflow with these demands.

    An elastic one that is wider than what others leave takes all of that, so that nobody else is promised room in which
    its pods may appear, nor it any that was promised before.
    """
    foreign, reserved = max(limit.used - own.used, 0), own.excess
    for one, holders in held.items():
        reserved += limit.reserves(one) * limit.holding(holders)
    free = limit.hard - foreign - reserved
    peak, least = limit.peak(demands), limit.least(demands, elastic=elastic)
    return Room(
        quota=limit.quota,
        resource=limit.resource,
        hard=limit.hard,
        used=limit.used,
        foreign=foreign,
        reserved=reserved,
        free=free,
        need=min(peak, max(limit.hard - foreign, least)),
        least=least,
        peak=peak,
        never=least > limit.hard and not limit.never_refuses,
    )


def never_fits(limits: Iterable[Limit], demands: Demands, *, elastic: bool) -> bool:
    """Whether one of the limits is below what a Workflow needs to end, even if nothing else ran there."""
    return any(not one.never_refuses and one.least(demands, elastic=elastic) > one.hard for one in limits)
