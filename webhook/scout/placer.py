"""Placing: the scout's pure decision, fed from the samples and the registry, and written to the ledger.

The webhook, the queue and the scout's HTTP call decide through here, so there is one way to choose a target.
"""

import time
from collections.abc import Callable, Collection, Mapping

from webhook.errors import Refused, wrong_field
from webhook.kube.registry import Registry
from webhook.ledger import reserving
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.ledger.reserving import Held
from webhook.scout.decide import decide
from webhook.scout.model import Decision, Request, Target, Verdict
from webhook.scout.policies import POLICIES
from webhook.scout.sampler import Sampler
from webhook.totals.model import NO_DEFAULTS, NOTHING, Defaults


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

    def admit(self, new: NewPlacement) -> Decision:
        """Decide about a new Workflow and write it down, unless it is refused."""
        request = request_of(new)
        return reserving.admit(self._pool, new, lambda held: self._decide(request, held, {}))

    def peek(self, request: Request) -> Decision:
        """What would be decided now; nothing is written."""
        return reserving.peek(self._pool, request.namespace, lambda held: self._decide(request, held, {}))

    def again(self, new: NewPlacement, *, refused_by: Mapping[str, str], away: Mapping[str, str]) -> Decision:
        """Decide anew about a Workflow just admitted, of which some targets want nothing or did not answer."""
        request = request_of(new, refused_by)
        return reserving.preflight_refused(
            self._pool, new.placement, refused_by, lambda held: self._decide(request, held, away)
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

    def place_queue(self, namespace: str) -> list[tuple[Placement, Decision]]:
        """Give room that has come free to those who wait; returns the placements that no longer do."""
        return reserving.place_queued(
            self._pool, namespace, lambda placement, held: self._decide(request_of_row(placement), held, {})
        )

    def _decide(self, request: Request, held: Held, away: Mapping[str, str]) -> Decision:
        targets = [Target(name, away.get(name) or why) for name, why in sorted(self._registry.names().items())]
        return decide(
            request,
            targets=targets,
            snapshots=self._sampler.of_namespace(request.namespace),
            reservations=held.reservations,
            claimed=_claims(held, targets),
            now=self._clock(),
            max_age=self._max_age,
        )


def request_of(new: NewPlacement, refused_by: Mapping[str, str] | None = None) -> Request:
    """The question for a Workflow that is being admitted."""
    only = None if new.only_clusters is None else frozenset(new.only_clusters)
    return Request(new.namespace, new.totals, new.placement, new.policy, only, refused_by or {}, new.notes)


def request_of_row(row: Placement) -> Request:
    """The question for a Workflow that waits in the queue."""
    only = None if row.only_clusters is None else frozenset(row.only_clusters)
    return Request(row.namespace, row.totals, row.placement, row.policy, only, row.refused_by)


def known_policy(value: str) -> str:
    """`value`, if it names a policy. Raises Refused with the names there are."""
    if value not in POLICIES:
        raise wrong_field(Refused, "annotation medea.dev/policy", value, f"it must be one of {', '.join(POLICIES)}")
    return value


def _claims(held: Held, targets: list[Target]) -> dict[str, str]:
    """First come, first served: a target that an earlier Workflow waits for is not given to a later one."""
    claims: dict[str, str] = {}
    for waiting in held.queued:
        request = request_of_row(waiting)
        for target in targets:
            if request.may_use(target.name):
                claims.setdefault(target.name, f"{waiting.name} was queued earlier and comes first")
    return claims
