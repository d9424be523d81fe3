"""Everything a decision about a namespace is based on, apart from the ledger's reservations, as one value."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from webhook.errors import Unavailable
from webhook.kube.registry import Registry
from webhook.ledger import reserving
from webhook.ledger.pool import Pool
from webhook.scout.decide import decide, free_room
from webhook.scout.eye import Eye
from webhook.scout.lacking import NOTHING_KNOWN, Presence, with_shortfalls
from webhook.scout.model import NOTHING_PROMISED, Decision, OwnUse, Promised, Quotas, Request, Snapshot, Target
from webhook.scout.own_use import own_use


@dataclass(frozen=True)
class View:
    """The targets, their samples for one namespace, and what our own runs used in these. `max_age` is in seconds."""

    targets: tuple[Target, ...]
    snapshots: Mapping[str, Snapshot]
    own: Mapping[str, OwnUse]
    max_age: float
    clock: Callable[[], float]
    presence: Presence = NOTHING_KNOWN

    @property
    def limited(self) -> bool:
        """Whether a quota limits anything but the CPU and memory of all pods, so that demands matter."""
        return any(one.limits for one in self.snapshots.values())

    def decide(self, request: Request, reserved: Mapping[str, Promised], claimed: Collection[str]) -> Decision:
        """Decide, given what the live reservations on each target hold and the targets that others wait for."""
        names = [target.name for target in self.targets]
        return decide(
            request,
            targets=with_shortfalls(self.targets, self.presence.shortfalls(request.namespace, request.refers, names)),
            snapshots=self.snapshots,
            reserved=reserved,
            own=self.own,
            claimed=claimed,
            now=self.clock(),
            max_age=self.max_age,
        )

    def quotas(self, target: str) -> Quotas:
        """What the quotas of a target with a sample allow."""
        return Quotas(self.snapshots[target].hard, self.snapshots[target].limits)

    def open_targets(self) -> dict[str, Quotas]:
        """The targets where something could be placed if there were room, with their quotas."""
        now = self.clock()
        usable = [target.name for target in self.targets if not target.unusable and not target.closed]
        found = {name: self.snapshots.get(name) for name in usable}
        return {
            name: self.quotas(name)
            for name, one in found.items()
            if one is not None and not one.is_stale(now, self.max_age)
        }

    def facts(self, reserved: Mapping[str, Promised]) -> object:
        """Everything placing depends on. Two results are equal if nothing relevant has changed between them."""
        rooms = {
            name: (
                one.hard,
                free_room(self.snapshots[name], reserved.get(name, NOTHING_PROMISED), self.own.get(name, OwnUse())),
            )
            for name, one in self.open_targets().items()
        }
        return rooms, [target.name for target in self.targets], self.presence.changes


Closed = Callable[[str, str], str | None]
"""Takes a namespace and a target; returns why nothing of the namespace may be placed there, None if it may."""


class Views:
    """Makes views. A sample that is too old, in any case after `max_age` seconds, excludes its target."""

    def __init__(
        self,
        *,
        pool: Pool,
        sampler: Eye,
        registry: Registry,
        closed: Closed,
        max_age: float,
        clock: Callable[[], float],
        presence: Presence,
    ) -> None:
        self._pool, self._sampler, self._registry, self._closed = pool, sampler, registry, closed
        self._max_age, self._clock, self._presence = max_age, clock, presence
        self._own: dict[str, tuple[Mapping[str, Snapshot], Mapping[str, OwnUse]]] = {}

    def of(self, namespace: str, away: Mapping[str, str] | None = None) -> View:
        """What is known now. `away` has targets to leave out, with the reason.

        Raises Unavailable until the targets are known.
        """
        if not self._registry.wait(0):
            raise Unavailable("the targets are not known yet; try again")
        names, said = self._registry.names(), away or {}
        snapshots = self._sampler.of_namespace(namespace)
        targets = tuple(
            Target(
                name,
                said.get(name) or why or (None if name in snapshots else self._sampler.blind(name)),
                self._closed(namespace, name),
            )
            for name, why in sorted(names.items())
        )
        own = self._own_use(namespace, snapshots)
        return View(targets, snapshots, own, self._max_age, self._clock, self._presence)

    def _own_use(self, namespace: str, snapshots: Mapping[str, Snapshot]) -> Mapping[str, OwnUse]:
        """Computed once for each sample: the result stays right, or on the safe side, until the next one."""
        known = self._own.get(namespace)
        if known is not None and known[0] is snapshots:
            return known[1]
        now = self._clock()
        in_use = [one.sampled_at for one in snapshots.values() if one.own and not one.is_stale(now, self._max_age)]
        if not in_use:
            return {}
        limited = any(one.limits for one in snapshots.values())
        runs = reserving.runs_seen(self._pool, namespace, min(in_use), now=now, with_demands=limited)
        found = own_use(snapshots, runs)
        self._own[namespace] = (snapshots, found)
        return found
