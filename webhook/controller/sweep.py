"""The sweep: regularly checks everything, so that a lost event only costs time.

It compares every row with the informers' caches and skips what has not changed. The rest is queued behind fresh events.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import Counter, Gauge

from webhook.controller.agents import delete_agents, leftover_agents
from webhook.controller.facts import version_of
from webhook.controller.origin_status.ttl import goes_at
from webhook.controller.patience import Patience
from webhook.controller.resting import Resting, Wait
from webhook.controller.subworkflows import Subworkflows
from webhook.controller.targets import Targets
from webhook.controller.unused_copies import UnusedCopies
from webhook.controller.watches import NAMESPACE, Watches
from webhook.controller.workflow_index import Version
from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, is_name
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import placements
from webhook.ledger.placement import Placement, SweepRow
from webhook.ledger.pool import Pool
from webhook.ledger.queueing import length
from webhook.ledger.retention import retire
from webhook.model.contract import Hold, State
from webhook.model.deadline import Clock, Now, utc_now
from webhook.model.limits.controller import RETIRE_ROUNDS, SWEEP_PAGE
from webhook.model.run import origin_placement
from webhook.namespaces.reconciler import NamespaceReconciler

log = structlog.get_logger(__name__)
_SWEPT = Counter("medea_sweep_found_total", "Placements the sweep had reason to look at", ["why"])
_QUEUED = Gauge("medea_queued", "Workflows that wait for room")
_OLDEST = Gauge("medea_queue_oldest_time_seconds", "Unix time since which the oldest of them waits; 0 if none does")
_FAILED = Counter("medea_sweep_failed_total", "Parts of a sweep that failed", ["part"])


@dataclass
class Sweep:
    """Runs all parts of a sweep. If one fails, the others still run.

    `expiry` is in seconds. `retention_days` is how long the ledger keeps what is gone.
    """

    front: Cluster
    pool: Pool
    watches: Watches
    targets: Targets
    work: WorkQueue
    resting: Resting
    children: Subworkflows
    namespaces: NamespaceReconciler
    templates: UnusedCopies
    room_came_free: Callable[[], None]
    expiry: float
    retention_days: float
    now: Now = utc_now
    clock: Clock = time.monotonic

    def run(self) -> None:
        """Queue every placement that may need work, and do what does not belong to a single placement."""
        for part in (
            self.expire,
            self.look_at_rows,
            self.dismiss_agents,
            self.tend_namespaces,
            self.look_at_children,
            self.look_at_crons,
            self.remove_templates,
            self.retire,
            self.measure_queue,
        ):
            self._by_itself(part.__name__, part)
        self.room_came_free()

    def look_at_rows(self) -> None:
        """Compare every row with the informers' caches."""
        origins, runs = self.watches.origins.versions(), _by_placement(self.watches)
        swept = set[str]()
        for row in self._rows():
            swept.add(row.placement)
            carriers = origins.get(row.placement, [])
            self._by_itself("row", partial(self._look_at, row, carriers, runs))
        self._look(origins.keys() - swept, "origin without a row")
        self._look(runs.keys() - swept, "run without a row")
        self.resting.keep_only(swept)

    def expire(self) -> None:
        """Expire placements whose origin never appeared. Asks the front door itself, since informers may lag."""
        unbound, patience = placements.unbound(self.pool, self.expiry), Patience(self.clock)
        for namespace in {row.namespace for row in unbound}:
            late = [row for row in unbound if row.namespace == namespace]
            self._by_itself("expire", partial(self._expire, namespace, late, patience))

    def dismiss_agents(self) -> None:
        """Delete agents that Argo started while the end of their Workflow was being written."""
        patience = Patience(self.clock)
        for namespace, name in leftover_agents(self.watches.agents, self.watches.origins.informer):
            if not patience.is_over(namespace):
                with patience.spent_on(namespace):
                    self._by_itself("agent", partial(delete_agents, self.front, namespace, name))

    def tend_namespaces(self) -> None:
        """Queue every namespace that opted in, and remove what others no longer need."""
        # Only with a current list: a namespace that is merely missing from an old one has not opted out. Asked before
        # the list is read, which may become current between the two.
        current = self.watches.namespaces.current
        namespaces = self.watches.namespaces.all()
        for namespace in namespaces:
            self.work.add(NAMESPACE + namespace["metadata"]["name"], sweep=True)
        if current:
            self.namespaces.sweep(namespaces)

    def look_at_children(self) -> None:
        """Queue every unfinished sub-Workflow."""
        for child in self.children.living():
            self.work.add(child, sweep=True)

    def look_at_crons(self) -> None:
        """Queue every CronWorkflow."""
        self.watches.look_at_crons(sweep=True)

    def remove_templates(self) -> None:
        """Remove copies of templates that nothing has used for long, in a few namespaces at a time.

        Copies outlive a namespace's opting out; then the ledger still knows of it.
        """
        opted_in = {one["metadata"]["name"] for one in self.watches.namespaces.all()}
        self.templates.look(sorted(opted_in.union(placements.known_namespaces(self.pool))))

    def retire(self) -> None:
        """Delete what the ledger no longer needs, up to a limit; the next sweep goes on."""
        for _ in range(RETIRE_ROUNDS):
            if not retire(self.pool, days=self.retention_days, limit=SWEEP_PAGE):
                return

    def measure_queue(self) -> None:
        """Show how much waits, and for how long."""
        waiting = length(self.pool)
        _QUEUED.set(waiting.count)
        _OLDEST.set(waiting.oldest.timestamp() if waiting.oldest else 0)

    def _by_itself(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except MedeaError as error:
            _FAILED.labels(name).inc()
            log.warning("sweep cut short", part=name, reason=error.message)
        except Exception:
            _FAILED.labels(name).inc()
            log.exception("bug", part=name)

    def _rows(self) -> Iterator[SweepRow]:
        after = 0
        while page := placements.sweepable(self.pool, after, SWEEP_PAGE):
            yield from page
            after = page[-1].seq

    def _look_at(self, row: SweepRow, carriers: list[Version], runs: dict[str, list[Version]]) -> None:
        away = self.targets.away(row.cluster)
        if away and self.resting.waits(row.placement, Wait(str(row.cluster), away.long, row.namespace)):
            return
        version = version_of(row, [*carriers, *runs.get(row.placement, [])])
        if not self.resting.is_unchanged(row.placement, version):
            self._look({row.placement}, "not at rest", lane=row.cluster or "", share=row.namespace)
        elif row.hold is Hold.NONE and row.state is State.ENDED and self._had_its_time(row):
            self._look({row.placement}, "had its time", share=row.namespace)

    def _had_its_time(self, row: SweepRow) -> bool:
        goes = map(goes_at, self.watches.origins.carrying(row.placement))
        return any(one is not None and one <= self.now() for one in goes)

    def _expire(self, namespace: str, late: list[Placement], patience: Patience) -> None:
        """All Workflows of the namespace are read only where one may have any name."""
        with patience.spent_on(namespace):
            nameless = any(row.name is None for row in late)
            listed = self.front.list(WORKFLOWS, namespace)[0] if nameless else None
        carried = None if listed is None else {origin_placement(workflow) for workflow in listed}
        for row in late:
            if carried is not None:
                self._expire_unless_carried(row, carried)
            elif not patience.is_over(namespace):
                with patience.spent_on(namespace):
                    self._by_itself("expire", partial(self._expire_unless_there, row))

    def _expire_unless_there(self, row: Placement) -> None:
        # What was to have a name that the apiserver takes for none never came into being.
        name = str(row.name)
        found = self.front.find(WORKFLOWS, row.namespace, name) if is_name(name) else None
        self._expire_unless_carried(row, {origin_placement(found)} if found else ())

    def _expire_unless_carried(self, row: Placement, carried: Collection[str | None]) -> None:
        if row.placement in carried:
            self.work.add(row.placement, sweep=True)
        elif placements.expired(self.pool, row.placement):
            log.info("placement expired", placement=row.placement, namespace=row.namespace)

    def _look(self, found: Collection[str], why: str, lane: str = "", share: str | None = None) -> None:
        _SWEPT.labels(why).inc(len(found))
        for placement in found:
            self.work.add(placement, lane=lane, share=share, sweep=True)


def _by_placement(watches: Watches) -> dict[str, list[Version]]:
    runs: dict[str, list[Version]] = {}
    for index in list(watches.runs.values()):
        for placement, carrying in index.versions().items():
            runs.setdefault(placement, []).extend(carrying)
    return runs
