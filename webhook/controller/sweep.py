"""The sweep: regularly checks everything, so that a lost event only costs time.

It compares every row with the informers' caches and skips what has not changed. The rest is queued behind fresh events.
"""

import datetime
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import Counter

from webhook.controller.agents import delete_agents, leftover_agents
from webhook.controller.facts import version_of
from webhook.controller.origin_status.ttl import goes_at
from webhook.controller.resting import Resting, Wait
from webhook.controller.subworkflows import Subworkflows
from webhook.controller.targets import Targets, utc_now
from webhook.controller.unused_templates import UnusedTemplates
from webhook.controller.watches import NAMESPACE, Watches
from webhook.controller.workflow_index import Version
from webhook.errors import ClusterUnavailable, MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, is_name
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import placements
from webhook.ledger.placement import Placement, SweepRow
from webhook.ledger.pool import Pool
from webhook.ledger.retention import retire
from webhook.model.contract import Hold, State
from webhook.model.limits import MOST_SILENT, RETIRE_ROUNDS, SWEEP_PAGE
from webhook.model.run import origin_placement
from webhook.namespaces.reconciler import NamespaceReconciler

log = structlog.get_logger(__name__)
_SWEPT = Counter("medea_sweep_found_total", "Placements the sweep had reason to look at", ["why"])
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
    templates: UnusedTemplates
    room_came_free: Callable[[], None]
    expiry: float
    retention_days: float
    now: Callable[[], datetime.datetime] = utc_now

    def run(self) -> None:
        """Queue every placement that may need work, and do what does not belong to a single placement."""
        for part in (
            self.expire,
            self.look_at_rows,
            self.dismiss_agents,
            self.tend_namespaces,
            self.look_at_children,
            self.remove_templates,
            self.retire,
        ):
            self._by_itself(part.__name__, part)
        self.room_came_free()

    def look_at_rows(self) -> None:
        """Compare every row with the informers' caches, and delete origins whose TTL has expired."""
        origins, runs = self.watches.origins.versions(), _by_placement(self.watches)
        swept, silent = set[str](), Tally[str]()
        for row in self._rows():
            swept.add(row.placement)
            carriers = origins.get(row.placement, [])
            self._by_itself("row", partial(self._look_at, row, carriers, runs, silent))
        self._look(origins.keys() - swept, "origin without a row")
        self._look(runs.keys() - swept, "run without a row")
        self.resting.keep_only(swept)

    def expire(self) -> None:
        """Expire placements whose origin never appeared. Asks the front door itself, since informers may lag."""
        unbound = placements.unbound(self.pool, self.expiry)
        for namespace in {row.namespace for row in unbound}:
            late = [row for row in unbound if row.namespace == namespace]
            self._by_itself("expire", partial(self._expire, namespace, late))

    def dismiss_agents(self) -> None:
        """Delete agents that Argo started while the end of their Workflow was being written."""
        for namespace, name in leftover_agents(self.watches.agents, self.watches.origins.informer):
            self._by_itself("agent", partial(delete_agents, self.front, namespace, name))

    def tend_namespaces(self) -> None:
        """Queue every namespace that opted in, and remove what others no longer need."""
        namespaces = self.watches.namespaces.all()
        for namespace in namespaces:
            self.work.add(NAMESPACE + namespace["metadata"]["name"], sweep=True)
        # Only with a current list: a namespace that is merely missing from an old one has not opted out.
        if self.watches.namespaces.current:
            self.namespaces.sweep(namespaces)

    def look_at_children(self) -> None:
        """Queue every unfinished sub-Workflow."""
        for child in self.children.living():
            self.work.add(child, sweep=True)

    def remove_templates(self) -> None:
        """Remove copies of templates that nothing has used for long, in a few namespaces at a time."""
        self.templates.look([one["metadata"]["name"] for one in self.watches.namespaces.all()])

    def retire(self) -> None:
        """Delete what the ledger no longer needs, up to a limit; the next sweep goes on."""
        for _ in range(RETIRE_ROUNDS):
            if not retire(self.pool, days=self.retention_days, limit=SWEEP_PAGE):
                return

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

    def _look_at(
        self, row: SweepRow, carriers: list[Version], runs: dict[str, list[Version]], silent: Tally[str]
    ) -> None:
        """`silent` counts the deletes of each namespace that were not answered: thousands would take hours."""
        away = self.targets.away(row.cluster)
        if away and self.resting.waits(row.placement, Wait(str(row.cluster), away.long)):
            return
        version = version_of(row, [*carriers, *runs.get(row.placement, [])])
        if not self.resting.is_unchanged(row.placement, version):
            self._look({row.placement}, "not at rest", lane=row.cluster or "")
        elif row.hold is Hold.NONE and row.state is State.ENDED and silent[row.namespace] < MOST_SILENT:
            try:
                self._delete_old(row)
            except ClusterUnavailable as error:
                silent[row.namespace] += "answered" not in error.details
                raise

    def _delete_old(self, row: SweepRow) -> None:
        """Delete an ended origin whose `ttlStrategy` has expired."""
        for origin in self.watches.origins.carrying(row.placement):
            metadata, goes = origin["metadata"], goes_at(origin)
            if goes is not None and goes <= self.now() and metadata["uid"] == row.origin_uid:
                log.info("had its time", placement=row.placement, workflow=row.name)
                # In this very version: somebody may have retried it meanwhile.
                version = metadata["resourceVersion"]
                self.front.delete(WORKFLOWS, row.namespace, metadata["name"], uid=metadata["uid"], version=version)

    def _expire(self, namespace: str, late: list[Placement]) -> None:
        there = self._carried(namespace, late)
        for row in late:
            if row.placement in there:
                self.work.add(row.placement, sweep=True)
            elif placements.expired(self.pool, row.placement):
                log.info("placement expired", placement=row.placement, namespace=namespace)

    def _carried(self, namespace: str, late: list[Placement]) -> set[str | None]:
        """The placements that the front door's Workflows carry: all are read only where one may have any name.

        What was to have a name that the apiserver takes for none never came into being.
        """
        if all(row.name is not None for row in late):
            names = {str(row.name) for row in late}
            found = [self.front.find(WORKFLOWS, namespace, name) for name in names if is_name(name)]
        else:
            found = [*self.front.list(WORKFLOWS, namespace)[0]]
        return {origin_placement(workflow) for workflow in found if workflow is not None}

    def _look(self, found: Collection[str], why: str, lane: str = "") -> None:
        _SWEPT.labels(why).inc(len(found))
        for placement in found:
            self.work.add(placement, lane=lane, sweep=True)


def _by_placement(watches: Watches) -> dict[str, list[Version]]:
    runs: dict[str, list[Version]] = {}
    for index in list(watches.runs.values()):
        for placement, carrying in index.versions().items():
            runs.setdefault(placement, []).extend(carrying)
    return runs
