"""Gathers what is known about one placement: its row, and what the front door and the targets show."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from webhook.controller.create import has_placement_labels
from webhook.controller.made_index import MadeIndex
from webhook.controller.origin_status.ttl import goes_at
from webhook.controller.plan import Facts
from webhook.controller.targets import Targets
from webhook.controller.workflow_index import Version, WorkflowIndex, version
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement, SweepRow
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold, State
from webhook.model.deadline import Now, utc_now
from webhook.model.made_workflows import Made
from webhook.model.objects import Metadata, Object


@dataclass
class Gatherer:
    """Gathers facts. By watched target, `runs` has the index of its runs, and `made` that of what they have made."""

    front: Cluster
    pool: Pool
    origins: WorkflowIndex
    runs: dict[str, WorkflowIndex]
    made: dict[str, MadeIndex]
    targets: Targets
    now: Now = utc_now

    def gather(self, placement: str) -> Facts:
        """Everything known now. Asks the front door itself before it reports that an origin is gone."""
        row = placements.get(self.pool, placement)
        carriers = self.origins.carrying(placement)
        if row is None:
            return Facts(row, carriers[0] if carriers else None, False, None, copies=carriers[1:])
        origin = next((one for one in carriers if may_be_origin(one, row)), None) or self._without_mark(row)
        away = self.targets.away(row.cluster)
        if row.origin_uid is None:
            return Facts(row, origin, False, None, copies=[one for one in carriers if one is not origin], away=away)
        gone = origin is None and self._certainly_gone(row)
        copies = [one for one in carriers if one["metadata"]["uid"] != row.origin_uid]
        found = [(cluster, run) for cluster, index in list(self.runs.items()) for run in index.carrying(placement)]
        marked = [(cluster, one) for cluster, one in found if has_placement_labels(one, row)]
        run = next((one for cluster, one in marked if cluster == row.cluster and is_current_run(one, row)), None)
        strays = _strays(row, marked)
        there = [(cluster, stray) for cluster, stray in strays if self.targets.away(cluster) is None]
        # If strays are on targets that are away there is no version, so that the sweep looks again.
        looked_at = version_of(row, map(version, [*carriers, *(one for _, one in found)])) if there == strays else None
        return Facts(
            row, origin, gone, run, there, copies, away, looked_at, self._made(row, run), self._left(row, origin)
        )

    def _made(self, row: Placement, run: Object | None) -> list[Made]:
        index = self.made.get(str(row.cluster))
        return [] if run is None or index is None else index.of(str(run["metadata"]["uid"]), row.namespace)

    def _left(self, row: Placement, origin: Object | None) -> float | None:
        if origin is None or row.hold is not Hold.NONE or row.state is not State.ENDED:
            return None
        goes = goes_at(origin)
        return (goes - self.now()).total_seconds() if goes else None

    def _without_mark(self, row: Placement) -> Object | None:
        """The bound origin, if somebody has taken the placement off it; None if it is not seen."""
        found = self.origins.informer.get(row.namespace, row.name) if row.name and row.origin_uid else None
        return found if found is not None and found["metadata"]["uid"] == row.origin_uid else None

    def _certainly_gone(self, row: Placement) -> bool:
        if row.state in (State.DELETED, State.EXPIRED, State.DELETING) or row.name is None:
            return True
        found = self.front.find(WORKFLOWS, row.namespace, row.name)
        return found is None or found["metadata"]["uid"] != row.origin_uid


def _strays(row: Placement, marked: list[tuple[str, Object]]) -> list[tuple[str, Object]]:
    """Of the runs with the placement's labels those that lost answers have left behind.

    While the run is being created, none counts as a stray. The run itself never does, even if its cluster is registered
    under a second name.
    """
    if row.state in (State.RESERVED, State.UNKNOWN):
        return []
    if row.state in (State.DELETED, State.EXPIRED) or row.cluster is None:
        return marked
    if row.run_uid is None:
        return [(cluster, run) for cluster, run in marked if cluster != row.cluster]
    return [(cluster, run) for cluster, run in marked if not is_current_run(run, row)]


def version_of(row: Placement | SweepRow, carriers: Iterable[Version]) -> Hashable:
    """Another value whenever the row has moved on, or one of the Workflows that carry the placement has changed."""
    reason = row.reason if row.state is State.QUEUED else None
    return row.state, row.cluster, row.end_shown, reason, tuple(sorted(carriers))


def may_be_origin(workflow: Object, row: Placement) -> bool:
    """Whether a Workflow at the front door is the row's origin, or may become it."""
    metadata: Metadata = workflow["metadata"]
    if row.origin_uid is not None:
        return bool(metadata["uid"] == row.origin_uid)
    return metadata["namespace"] == row.namespace and row.name in (None, metadata["name"])


def is_current_run(workflow: Object, row: Placement) -> bool:
    """Whether it is the run in the ledger, whatever somebody has done to its labels since its uid is known."""
    if row.run_uid is None:
        return has_placement_labels(workflow, row)
    return bool(workflow["metadata"]["uid"] == row.run_uid)
