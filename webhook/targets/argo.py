"""Whether Argo Workflows works on a target, as far as Medea's rights there can tell."""

import datetime
import time
from collections.abc import Callable

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import LEASES, PODS, WORKFLOWS
from webhook.model.contract import PROBE
from webhook.model.limits import ARGO_LEASE_FRESH, CHECK_POLL, CHECK_PROBE_PATIENCE
from webhook.model.objects import Object, mappings, spec_of, status_of

KINDS = frozenset({"workflows", "workflowtemplates", "clusterworkflowtemplates", "workflowtaskresults"})
"""The custom resources without which nothing runs."""
_CONTROLLER = "workflow-controller"


def missing_kinds(cluster: Cluster) -> list[str]:
    """The custom resources of Argo that a target lacks."""
    return sorted(KINDS - cluster.served("argoproj.io/v1alpha1"))


def sign_of_life(cluster: Cluster, now: datetime.datetime) -> str | None:
    """What shows that a controller is alive, in words; None if nothing does, which proves nothing.

    Its lease, if it elects a leader, or its pod. `now` is the target's time.
    """
    for lease in cluster.list(LEASES, named=_CONTROLLER)[0]:
        if _is_fresh(spec_of(lease).get("renewTime"), now):
            return f"its lease in namespace {lease['metadata']['namespace']} was renewed a moment ago"
    for pod in cluster.list(PODS, selector=f"app={_CONTROLLER}")[0]:
        if _is_ready(pod):
            return f"pod {pod['metadata']['name']} in namespace {pod['metadata']['namespace']} is ready"
    return None


def takes_up(
    cluster: Cluster,
    namespace: str,
    *,
    patience: float = CHECK_PROBE_PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether a controller takes up a Workflow in a namespace within `patience` seconds; it needs no pod.

    The Workflow is removed again. Raises any error of the target.
    """
    made = cluster.create(WORKFLOWS, namespace, _probe())
    name = str(made["metadata"]["name"])
    try:
        for _ in range(round(patience / CHECK_POLL)):
            found = cluster.find(WORKFLOWS, namespace, name)
            if found is None or status_of(found).get("phase"):
                return found is not None
            sleep(CHECK_POLL)
        return False
    finally:
        _removed(cluster, namespace, name)


def _removed(cluster: Cluster, namespace: str, name: str) -> None:
    try:
        cluster.delete(WORKFLOWS, namespace, name, propagation="Background")
    except MedeaError:
        return


def _probe() -> Object:
    return {
        "metadata": {"generateName": "medea-check-", "labels": {PROBE: "true"}},
        "spec": {
            "entrypoint": "wait",
            "templates": [{"name": "wait", "suspend": {"duration": "1"}}],
            # In case it can't be deleted.
            "ttlStrategy": {"secondsAfterCompletion": 60},
        },
    }


def _is_fresh(renewed: object, now: datetime.datetime) -> bool:
    try:
        age = now - datetime.datetime.fromisoformat(str(renewed))
    except (ValueError, TypeError):
        return False
    return age.total_seconds() < ARGO_LEASE_FRESH


def _is_ready(pod: Object) -> bool:
    conditions = mappings(status_of(pod).get("conditions"))
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
