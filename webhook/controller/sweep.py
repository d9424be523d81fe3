"""The sweep: looks at everything that may not be true. Without a single event it would bring all to rest."""

import datetime

import structlog
from prometheus_client import Counter

from webhook.controller.agents import delete_agents
from webhook.controller.origin_status.ttl import goes_at
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.kube.workqueue import WorkQueue
from webhook.ledger import placements
from webhook.ledger.placement import SweepRow
from webhook.ledger.pool import Pool
from webhook.model.contract import AGENT_ACCOUNT, ARGO_COMPLETED, ARGO_COMPONENT, ARGO_WORKFLOW, Hold, State
from webhook.model.objects import labels
from webhook.model.run import origin_placement

log = structlog.get_logger(__name__)
_SWEPT = Counter("medea_sweep_found_total", "Placements the sweep had reason to look at", ["why"])
_PAGE = 1000


def sweep(
    *,
    pool: Pool,
    front: Cluster,
    origins: WorkflowIndex,
    runs: dict[str, WorkflowIndex],
    work: WorkQueue,
    expiry: float,
) -> None:
    """Queue every placement that something may have to be done for. `expiry` is in seconds."""
    expire(pool, front, work, expiry)
    rows = _rows(pool)
    still_open = {row.placement for row in rows if not (row.state is State.ENDED and row.end_shown)}
    with_origin = {row.placement for row in rows if row.origin_uid is not None}
    seen = origins.placements()
    running = {placement for index in list(runs.values()) for placement in index.placements()}
    _look(work, still_open, "open")
    if origins.informer.current:
        _look(work, with_origin - seen, "origin vanished")
    _look(work, seen - with_origin, "origin without a row")
    _look(work, running - with_origin, "run without an origin")
    dismiss_leftover_agents(front, origins)
    delete_old(front, origins, rows)


def _rows(pool: Pool) -> list[SweepRow]:
    rows: list[SweepRow] = []
    while page := placements.sweepable(pool, rows[-1].seq if rows else 0, _PAGE):
        rows += page
    return rows


def delete_old(front: Cluster, origins: WorkflowIndex, rows: list[SweepRow]) -> None:
    """Delete ended origins of which their users have said for how long they are wanted."""
    now = datetime.datetime.now(datetime.UTC)
    for row in rows:
        if row.hold is not Hold.NONE or row.state is not State.ENDED or not row.end_shown:
            continue
        for origin in origins.carrying(row.placement):
            metadata, goes = origin["metadata"], goes_at(origin)
            if goes is not None and goes <= now and metadata["uid"] == row.origin_uid:
                log.info("had its time", placement=row.placement, workflow=row.name)
                front.delete(WORKFLOWS, row.namespace, metadata["name"], uid=metadata["uid"])


def expire(pool: Pool, front: Cluster, work: WorkQueue, expiry: float) -> None:
    """Expire placements whose origin never came. Asked of the front door itself: a watch may lag behind an origin."""
    unbound = placements.unbound(pool, expiry)
    for namespace in {row.namespace for row in unbound}:
        late = [row for row in unbound if row.namespace == namespace]
        workflows, _ = front.list(WORKFLOWS, namespace)
        there = {origin_placement(workflow) for workflow in workflows}
        for row in late:
            if row.placement in there:
                work.add(row.placement)
            elif placements.expired(pool, row.placement):
                log.info("placement expired", placement=row.placement, namespace=namespace)


def dismiss_leftover_agents(front: Cluster, origins: WorkflowIndex) -> None:
    """Delete agents that Argo started while the end of their Workflow was being written."""
    pods, _ = front.list(PODS, selector=f"{ARGO_COMPONENT}=agent")
    for pod in pods:
        namespace, name = pod["metadata"]["namespace"], labels(pod).get(ARGO_WORKFLOW, "")
        workflow = origins.informer.get(namespace, name)
        ours = pod["spec"].get("serviceAccountName") == AGENT_ACCOUNT and workflow and origin_placement(workflow)
        if ours and workflow and labels(workflow).get(ARGO_COMPLETED) == "true":
            delete_agents(front, namespace, name)


def _look(work: WorkQueue, found: set[str], why: str) -> None:
    _SWEPT.labels(why).inc(len(found))
    for placement in found:
        work.add(placement)
