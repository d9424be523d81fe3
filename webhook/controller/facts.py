"""Gathers what is known of one placement: the ledger's row, and what the front door and the targets show of it."""

from dataclasses import dataclass

from webhook.controller.create import has_placement_labels
from webhook.controller.plan import Facts
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.objects import Object


@dataclass
class Gatherer:
    """Looks things up. `runs` holds the index of runs of each target that is watched."""

    front: Cluster
    pool: Pool
    origins: WorkflowIndex
    runs: dict[str, WorkflowIndex]

    def gather(self, placement: str) -> Facts:
        """Everything known now. Asks the front door itself before it says that an origin is gone."""
        row = placements.get(self.pool, placement)
        carriers = self.origins.carrying(placement)
        if row is None:
            return Facts(row, carriers[0] if carriers else None, False, None)
        origin = next((one for one in carriers if may_be_origin(one, row)), None)
        if row.origin_uid is None:
            return Facts(row, origin, False, None)
        gone = origin is None and self._certainly_gone(row)
        copies = [one for one in carriers if one["metadata"]["uid"] != row.origin_uid]
        return Facts(row, origin, gone, self._run(row), self._strays(row, placement), copies)

    def _certainly_gone(self, row: Placement) -> bool:
        if row.state in (State.DELETED, State.EXPIRED, State.DELETING) or row.name is None:
            return True
        found = self.front.find(WORKFLOWS, row.namespace, row.name)
        return found is None or found["metadata"]["uid"] != row.origin_uid

    def _run(self, row: Placement) -> Object | None:
        index = self.runs.get(row.cluster or "")
        found = index.carrying(row.placement) if index else []
        return next((one for one in found if is_current_run(one, row)), None)

    def _strays(self, row: Placement, placement: str) -> list[tuple[str, Object]]:
        """Runs that a lost answer has left behind. While a run is being created, nothing is a stray yet."""
        if row.state is State.RESERVED:
            return []
        found = [(cluster, run) for cluster, index in list(self.runs.items()) for run in index.carrying(placement)]
        ours = [(cluster, run) for cluster, run in found if has_placement_labels(run, row)]
        return [
            (cluster, run)
            for cluster, run in ours
            if cluster != row.cluster or not is_current_run(run, row) or row.state in (State.DELETED, State.EXPIRED)
        ]


def may_be_origin(workflow: Object, row: Placement) -> bool:
    metadata = workflow["metadata"]
    if row.origin_uid is not None:
        return bool(metadata["uid"] == row.origin_uid)
    return metadata["namespace"] == row.namespace and row.name in (None, metadata["name"])


def is_current_run(workflow: Object, row: Placement) -> bool:
    """Whether it is the very run that the ledger speaks of, and not another of the same placement."""
    return has_placement_labels(workflow, row) and row.run_uid in (None, workflow["metadata"]["uid"])
