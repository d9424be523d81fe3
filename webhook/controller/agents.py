"""Argo's agents at the front door. Each works through its Workflow's WorkflowTaskSet, unless that is completed."""

from typing import Any

import structlog

from webhook.errors import Rejected
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import PODS, TASK_SETS
from webhook.ledger.placement import Placement
from webhook.model.contract import AGENT_ACCOUNT, ARGO_COMPLETED, ARGO_COMPONENT, ARGO_WORKFLOW, MIRRORED
from webhook.model.objects import labels, spec_of
from webhook.model.run import origin_placement

log = structlog.get_logger(__name__)


def open_task_set(front: Cluster, row: Placement) -> None:
    """Reopen a task set that was marked completed when its Workflow ended: agents ignore completed ones."""
    _mark_task_set(front, row, None)


def dismiss_agent(front: Cluster, row: Placement) -> None:
    """Delete the agent of an ended origin, since Argo itself does so only for ends that it has written.

    If that is refused, the end counts all the same, and the sweep tries again.
    """
    _mark_task_set(front, row, "true")
    try:
        delete_agents(front, row.namespace, str(row.name))
    except Rejected as error:
        log.warning("agent not deleted", namespace=row.namespace, workflow=row.name, reason=error.message)


def delete_agents(front: Cluster, namespace: str, workflow: str) -> None:
    """Delete the agent pods of a Workflow: one by one, since Medea may delete only pods that are agents' or its own."""
    pods, _ = front.list(PODS, namespace, selector=f"{ARGO_WORKFLOW}={workflow},{ARGO_COMPONENT}=agent,!{MIRRORED}")
    for pod in pods:
        metadata = pod["metadata"]
        front.delete(PODS, namespace, metadata["name"], uid=metadata["uid"], propagation="Background")


def leftover_agents(agents: Informer, workflows: Informer) -> set[tuple[str, str]]:
    """Namespaces and names of ended origins that have agents, because Argo started them while the end was written."""
    found = set()
    for pod in agents.all():
        namespace, name = pod["metadata"]["namespace"], labels(pod).get(ARGO_WORKFLOW, "")
        workflow = workflows.get(namespace, name)
        ours = spec_of(pod).get("serviceAccountName") == AGENT_ACCOUNT and workflow and origin_placement(workflow)
        if ours and workflow and labels(workflow).get(ARGO_COMPLETED) == "true":
            found.add((namespace, name))
    return found


def _mark_task_set(front: Cluster, row: Placement, completed: str | None) -> None:
    patch: dict[str, Any] = {"metadata": {"labels": {ARGO_COMPLETED: completed}}}
    try:
        front.patch(TASK_SETS, row.namespace, str(row.name), patch)
    except Rejected as error:
        log.debug("no task set to mark", workflow=row.name, reason=error.message)
