"""Placing: the scout's pure decision, fed from the samples and the registry, and written to the ledger.

The webhook, the queue and the scout's HTTP call decide through here, so there is one way to choose a target.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from webhook.errors import Refused, Unavailable, wrong_field
from webhook.kube.registry import Registry
from webhook.ledger import queueing, reserving
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.model.limits import QUEUE_LOOK_AGAIN, UNBOUND_RESERVATIONS
from webhook.scout.decide import decide, free_room
from webhook.scout.model import Decision, Outcome, OwnUse, Request, Snapshot, Target, Verdict
from webhook.scout.own_use import own_use
from webhook.scout.policies import POLICIES
from webhook.scout.queue_pass import QueuePass, Told
from webhook.scout.sampler import Sampler
from webhook.scout.turns import Turns
from webhook.totals.model import NO_DEFAULTS, NOTHING, Defaults, Totals

Left = Callable[[Placement, Decision], None]
"""Told of a placement that has left the queue."""


def _nobody(_: Placement, __: Decision) -> None:
    """Nobody has to be told."""


@dataclass(frozen=True)
class _View:
    """What is known of a namespace beside the ledger's reservations."""

    targets: tuple[Target, ...]
    snapshots: Mapping[str, Snapshot]
    own: Mapping[str, OwnUse]


@dataclass(frozen=True)
class _Idle:
    """A pass that nobody could leave the queue in: what it was decided from, and until when that is believed."""

    facts: object
    until: float


class Placer:
    """Decides about requests. `max_age` is the age in seconds past which a sample excludes its target."""

    def __init__(
        self,
        *,
        pool: Pool,
        sampler: Sampler,
        registry: Registry,
        max_age: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool, self._sampler, self._registry = pool, sampler, registry
        self._max_age, self._clock = max_age, clock
        self._turns = Turns()
        self._own: dict[str, tuple[Mapping[str, Snapshot], Mapping[str, OwnUse]]] = {}
        self._idle: dict[str, _Idle] = {}
        self._told: dict[str, Mapping[str, Told]] = {}

    def admit(self, new: NewPlacement) -> Decision:
        """Decide about a new Workflow and write it down, unless it is refused.

        Raises Unavailable while the targets are not known yet, and Busy when too many come at once.
        """
        request = request_of(new)
        with self._turns.of(new.namespace):
            view = self._view(new.namespace)
            return reserving.admit(self._pool, new, lambda held: _bounded(self._choose(request, view, held), held))

    def peek(self, request: Request) -> Decision:
        """What would be decided now; nothing is written."""
        view = self._view(request.namespace)
        return reserving.peek(self._pool, request.namespace, lambda held: self._choose(request, view, held))

    def again(self, new: NewPlacement, *, refused_by: Mapping[str, str], away: Mapping[str, str]) -> Decision:
        """Decide anew about a Workflow just admitted, of which some targets want nothing or did not answer."""
        request = request_of(new, refused_by)
        with self._turns.of(new.namespace):
            view = self._view(new.namespace, away)
            return reserving.preflight_refused(
                self._pool, new, refused_by, lambda held: self._choose(request, view, held)
            )

    def overview(self, namespace: str) -> tuple[Verdict, ...]:
        """Every target's numbers for a namespace, as a request for nothing finds them."""
        return self.peek(Request(namespace, NOTHING, seed="overview")).verdicts

    def defaults(self, namespace: str, only_clusters: Collection[str] | None) -> Defaults:
        """The limits of containers without any, as the most generous of the targets that may be used gives them."""
        worst = NO_DEFAULTS
        for cluster, snapshot in self._sampler.of_namespace(namespace).items():
            if only_clusters is None or cluster in only_clusters:
                worst = worst.larger(snapshot.defaults)
        return worst

    def place_queue(self, namespace: str, left: Left = _nobody) -> list[tuple[Placement, Decision]]:
        """Give room that has come free to those who wait; returns the placements that no longer do.

        Each is told to `left` as soon as it is certain. Nothing is done while nothing that matters has changed since a
        pass that nobody could leave the queue in.
        """
        view = self._view(namespace)
        reserved, waiting = queueing.glance(self._pool, namespace)
        facts, idle = (self._room(view, reserved), waiting), self._idle.get(namespace)
        if idle is not None and idle.facts == facts and self._clock() < idle.until:
            return []
        run = QueuePass(
            lambda request, promised, claimed: self._decide(request, view, promised, claimed),
            open_targets=self._open(view),
            told=self._told.get(namespace, {}),
        )
        moved: list[tuple[Placement, Decision]] = []
        undisturbed, after = True, 0
        while True:
            with self._turns.of(namespace):
                served = queueing.serve(self._pool, namespace, after, run.choose)
            for placement, decision in served.left:
                left(placement, decision)
            moved += served.left
            undisturbed = undisturbed and served.reserved == reserved
            if served.next_after is None or run.over:
                break
            after = served.next_after
        queueing.tell_the_rest(self._pool, namespace, len(run.told))
        self._told[namespace] = run.told
        if undisturbed and not moved:
            self._idle[namespace] = _Idle(facts, self._clock() + QUEUE_LOOK_AGAIN)
        return moved

    def _view(self, namespace: str, away: Mapping[str, str] | None = None) -> _View:
        if not self._registry.wait(0):
            raise Unavailable("the targets are not known yet; try again")
        names, said = self._registry.names(), away or {}
        snapshots = self._sampler.of_namespace(namespace)
        targets = tuple(Target(name, said.get(name) or why) for name, why in sorted(names.items()))
        return _View(targets, snapshots, self._own_use(namespace, snapshots))

    def _own_use(self, namespace: str, snapshots: Mapping[str, Snapshot]) -> Mapping[str, OwnUse]:
        """Worked out once for each sample: it then stays right, or on the safe side, until the next one."""
        known = self._own.get(namespace)
        if known is not None and known[0] is snapshots:
            return known[1]
        fresh = [one.sampled_at for one in snapshots.values() if one.own and not self._stale(one)]
        if not fresh:
            return {}
        found = own_use(snapshots, reserving.runs_seen(self._pool, namespace, min(fresh)))
        self._own[namespace] = (snapshots, found)
        return found

    def _choose(self, request: Request, view: _View, held: Held) -> Decision:
        """The decision about a new Workflow. Who waits is asked for only of the targets where it matters."""
        decision = self._decide(request, view, held.reserved, ())
        if decision.cluster is None:
            return decision
        fitting = {one.cluster: one.hard for one in decision.verdicts if one.removed_by is None and one.hard}
        claimed = held.claimed(fitting)
        return self._decide(request, view, held.reserved, claimed) if claimed else decision

    def _decide(
        self, request: Request, view: _View, reserved: Mapping[str, Totals], claimed: Collection[str]
    ) -> Decision:
        return decide(
            request,
            targets=view.targets,
            snapshots=view.snapshots,
            reserved=reserved,
            own=view.own,
            claimed=claimed,
            now=self._clock(),
            max_age=self._max_age,
        )

    def _stale(self, snapshot: Snapshot) -> bool:
        return self._clock() - snapshot.sampled_at > self._max_age

    def _open(self, view: _View) -> set[str]:
        """Targets where something could be placed if there were room."""
        usable = (target.name for target in view.targets if not target.unusable)
        return {name for name in usable if (one := view.snapshots.get(name)) is not None and not self._stale(one)}

    def _room(self, view: _View, reserved: Mapping[str, Totals]) -> object:
        """All that a pass over the queue depends on beside the queue itself."""
        rooms = {}
        for name in self._open(view):
            snapshot = view.snapshots[name]
            free = free_room(snapshot, reserved.get(name, NOTHING), view.own.get(name, OwnUse()))
            rooms[name] = (snapshot.hard, free)
        return rooms, frozenset(target.name for target in view.targets)


def _bounded(decision: Decision, held: Held) -> Decision:
    """`decision`, unless too many of the namespace hold room already without having been seen at the front door."""
    if decision.outcome is not Outcome.PLACED or held.unbound < UNBOUND_RESERVATIONS:
        return decision
    reason = f"{held.unbound} Workflows of this namespace hold room that have not been seen at the front door yet"
    return replace(decision, outcome=Outcome.QUEUED, reason=reason, cluster=None)


def request_of(new: NewPlacement, refused_by: Mapping[str, str] | None = None) -> Request:
    """The question for a Workflow that is being admitted."""
    only = None if new.only_clusters is None else frozenset(new.only_clusters)
    return Request(new.namespace, new.totals, new.placement, new.policy, only, refused_by or {}, new.notes)


def known_policy(value: str) -> str:
    """`value`, if it names a policy. Raises Refused with the names there are."""
    if value not in POLICIES:
        raise wrong_field(Refused, "annotation medea.dev/policy", value, f"it must be one of {', '.join(POLICIES)}")
    return value
