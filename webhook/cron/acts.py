"""What is done at the front door for a CronWorkflow. Every step may be repeated."""

from collections.abc import Iterable

import structlog
from prometheus_client import Counter

from webhook.cron.child import Child, child_of, owner_of
from webhook.cron.spec import CronSpec
from webhook.cron.status import Status, changes, read_status
from webhook.cron.workflow import workflow_of
from webhook.errors import AlreadyExists, NotThere
from webhook.kube.client import Cluster
from webhook.kube.resources import CRON_WORKFLOWS, WORKFLOWS, is_name
from webhook.model.limits.cron import MOST_UNHEARD
from webhook.model.objects import Metadata, Object

log = structlog.get_logger(__name__)
_REMOVED = Counter("medea_cron_removed_total", "Workflows of CronWorkflows deleted because of a history limit")

_MANAGER = "medea-cron"
"""Field manager for stopping. Not Medea's usual one, so that the webhook passes the change on to the run as a verb."""


def write(front: Cluster, cron: Object, status: Status) -> Object:
    """Write what differs; returns the CronWorkflow as it is then. Raises Conflict if it has changed meanwhile."""
    metadata: Metadata = cron["metadata"]
    patch = changes(read_status(cron), status)
    if not patch:
        return cron
    version = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    patch["metadata"] = {**patch.get("metadata", {}), **version}
    return front.patch(CRON_WORKFLOWS, metadata["namespace"], metadata["name"], patch)


def submit(front: Cluster, cron: Object, spec: CronSpec, tick: int) -> Child:
    """Make the Workflow of a tick, or find it made. Raises AlreadyExists if its name is somebody else's."""
    metadata: Metadata = cron["metadata"]
    namespace, wanted = metadata["namespace"], workflow_of(cron, spec, tick)
    try:
        made = front.create(WORKFLOWS, namespace, wanted)
    except AlreadyExists:
        made = front.get(WORKFLOWS, namespace, wanted["metadata"]["name"])
        if owner_of(made) != (metadata["name"], metadata["uid"]):
            raise
    log.info("tick submitted", namespace=namespace, cron=metadata["name"], workflow=made["metadata"]["name"])
    return child_of(made, metadata["name"])


def terminate(front: Cluster, status: Status, children: list[Child]) -> None:
    """Terminate all that are active. Their ends are counted when they have come."""
    active = {one.get("uid") for one in status.active}
    for child in children:
        if child.uid not in active or child.ended or child.shut_down:
            continue
        body = {"metadata": {"uid": child.uid}, "spec": {"shutdown": "Terminate"}}
        try:
            front.patch(WORKFLOWS, child.namespace, child.name, body, manager=_MANAGER)
        except NotThere:
            continue
        log.info("replaced by the next tick", namespace=child.namespace, workflow=child.name)


def unheard(front: Cluster, cron: Object, known: Iterable[Child]) -> list[Child]:
    """Of what its status calls active those that are there, though they are not `known`: the watch may be late."""
    metadata: Metadata = cron["metadata"]
    told = {child.uid for child in known}
    names = [str(one.get("name")) for one in read_status(cron).active if str(one.get("uid")) not in told]
    found = [front.find(WORKFLOWS, metadata["namespace"], name) for name in names[:MOST_UNHEARD] if is_name(name)]
    # People can write any name into a status.
    mine = metadata["name"], metadata["uid"]
    return [child_of(one, metadata["name"]) for one in found if one is not None and owner_of(one) == mine]


def remove(front: Cluster, child: Child) -> None:
    """Delete a Workflow that a history limit no longer keeps. Raises Conflict if it has changed: it may be retried."""
    front.delete(WORKFLOWS, child.namespace, child.name, uid=child.uid, version=child.version)
    _REMOVED.inc()
