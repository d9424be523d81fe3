"""What is taken away at the front door: webhooks, origins' finalizers, and everything that Medea has made there."""

from collections.abc import Callable
from functools import partial

from webhook.controller.remove import remove_finalizer
from webhook.errors import Clash, Rejected
from webhook.kube.client import Cluster
from webhook.kube.leader import LEASE, Lease
from webhook.kube.resources import (
    CLUSTER_PROFILES,
    DEPLOYMENTS,
    LEASES,
    MUTATING_WEBHOOKS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    VALIDATING_WEBHOOKS,
    WORKFLOWS,
    Resource,
)
from webhook.logs.node import node_name
from webhook.model.contract import AGENT_ACCOUNT, ARGO_COMPONENT, CLUSTER, MIRRORED, OPTED_IN, PROBE
from webhook.model.limits.admin import UNINSTALL_LOOK, UNINSTALL_STOP
from webhook.model.objects import Metadata, Object, labels, spec_of
from webhook.namespaces.prepare import MANAGED, removal_order
from webhook.targets.profile import MANAGED_BY, MANAGER
from webhook.uninstall.report import Report
from webhook.uninstall.targets import until_written

_PARTS = "app.kubernetes.io/name=medea,app.kubernetes.io/component in (webhook, plugin, api, logs, controller, service)"
_WEBHOOKS = "medea"
_HEARTBEATS = "kube-node-lease"
_OWN_SECRETS = ("medea-tls", "medea-authority")


def remove_webhooks(front: Cluster, report: Report) -> None:
    """First of all: a webhook that nobody answers would keep everybody from changing what is to be let go."""
    for kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        # In the background: in the foreground it would stay in force until the garbage collector comes.
        front.delete(kind, None, _WEBHOOKS, propagation="Background")
    report.done("webhooks removed: nothing is placed any more")


def stop_processes(
    front: Cluster,
    namespace: str,
    report: Report,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> bool:
    """Scale Medea's Deployments to nothing, and take the controllers' lease. False if a controller goes on."""
    deployments, _ = front.list(DEPLOYMENTS, namespace, selector=_PARTS)
    for one in deployments:
        front.patch(DEPLOYMENTS, namespace, one["metadata"]["name"], {"spec": {"replicas": 0}})
    until, lease = clock() + UNINSTALL_STOP, Lease(front, namespace, clock=clock)
    while True:
        pods, _ = front.list(PODS, namespace, selector=_PARTS)
        if not pods and lease.take():
            report.done(f"stopped: {len(deployments)} Deployments of {namespace}, and no controller leads")
            return True
        if clock() >= until:
            break
        sleep(UNINSTALL_LOOK)
    what = f"{len(pods)} pods of {namespace} have not ended" if pods else "a controller outside of its Deployment leads"
    report.leave(f"Medea still works ({what}): stop it, and uninstall again")
    return False


def let_go_of_origins(front: Cluster, origins: list[Object], end: Callable[[Object], Object], report: Report) -> None:
    """Let all of them go, by the merge patch that `end` makes for each."""
    gone = 0
    for origin in origins:
        metadata: Metadata = origin["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}"
        by_hand = (
            f"kubectl -n {metadata['namespace']} patch workflow {metadata['name']} --type=merge "
            """-p '{"metadata":{"finalizers":null}}'"""
        )
        with report.step(f"origin {name} not let go", by_hand):
            until_written(front, origin, partial(_let_go, end=end))
            gone += 1
    report.done(f"{gone} of {len(origins)} origins let go")


def _let_go(front: Cluster, origin: Object, *, end: Callable[[Object], Object]) -> None:
    metadata: Metadata = origin["metadata"]
    try:
        front.patch(WORKFLOWS, metadata["namespace"], metadata["name"], end(origin))
    except Clash:
        raise
    except Rejected:
        # What it shows matters less than that it can be deleted.
        remove_finalizer(front, origin)


def opted_in(front: Cluster) -> list[str]:
    """The names of the namespaces that opted in."""
    return [one["metadata"]["name"] for one in front.list(NAMESPACES, selector=OPTED_IN)[0]]


def remove_agents(front: Cluster, report: Report) -> None:
    """The agents of origins, which Argo leaves up."""
    pods, _ = front.list(PODS, selector=f"{ARGO_COMPONENT}=agent")
    agents = [pod for pod in pods if spec_of(pod).get("serviceAccountName") == AGENT_ACCOUNT]
    _delete_all(front, PODS, agents, "agents", report)


def remove_mirrored(front: Cluster, report: Report) -> None:
    """Mirrored pods, the Nodes that stand for targets, and their leases."""
    pods, _ = front.list(PODS, selector=MIRRORED)
    ours = [pod for pod in pods if spec_of(pod).get("nodeName") == node_name(labels(pod)[MIRRORED])]
    _delete_all(front, PODS, ours, "mirrored pods", report, grace=0)
    nodes, _ = front.list(NODES, selector=MIRRORED)
    virtual = [node for node in nodes if node["metadata"]["name"] == node_name(labels(node)[MIRRORED])]
    _delete_all(front, NODES, virtual, "Nodes of targets", report)
    for node in virtual:
        front.delete(LEASES, _HEARTBEATS, node["metadata"]["name"], propagation="Background")


def remove_probes(front: Cluster, report: Report) -> None:
    """The Workflows by which Medea found Argo controllers."""
    probes, _ = front.list(WORKFLOWS, selector=f"{PROBE}=true,{MANAGED}")
    _delete_all(front, WORKFLOWS, probes, "probes", report)


def remove_preparations(front: Cluster, report: Report) -> None:
    """What namespaces have for Argo's agents."""
    found, _ = front.list(SERVICE_ACCOUNTS, selector=MANAGED)
    namespaces = sorted({one["metadata"]["namespace"] for one in found})
    for namespace in namespaces:
        for kind, name in removal_order():
            front.delete(kind, namespace, name, propagation="Background")
    report.done(f"accounts, tokens, rights and the plugin removed from {len(namespaces)} namespaces")


def remove_profiles(front: Cluster, namespace: str, report: Report) -> None:
    """The ClusterProfiles that show the targets, where the front door has that kind."""
    if CLUSTER_PROFILES.plural not in front.served(CLUSTER_PROFILES.api_version):
        return
    profiles, _ = front.list(CLUSTER_PROFILES, namespace, selector=f"{MANAGED_BY}={MANAGER}")
    _delete_all(front, CLUSTER_PROFILES, profiles, "ClusterProfiles", report)


def remove_targets(front: Cluster, namespace: str, released: set[str], report: Report) -> None:
    """The Secrets of the targets that were let go."""
    secrets, _ = front.list(SECRETS, namespace, selector=CLUSTER)
    done = [one for one in secrets if labels(one)[CLUSTER] in released]
    _delete_all(front, SECRETS, done, "Secrets of targets", report)


def remove_own(front: Cluster, namespace: str, report: Report) -> None:
    """Medea's certificates, and the controllers' lease."""
    for name in _OWN_SECRETS:
        front.delete(SECRETS, namespace, name, propagation="Background")
    front.delete(LEASES, namespace, LEASE, propagation="Background")
    report.done("certificates and lease removed")


def _delete_all(
    front: Cluster, kind: Resource, things: list[Object], what: str, report: Report, *, grace: int | None = None
) -> None:
    for one in things:
        metadata: Metadata = one["metadata"]
        namespace = metadata["namespace"] if kind.namespaced else None
        front.delete(kind, namespace, metadata["name"], uid=metadata["uid"], propagation="Background", grace=grace)
    report.done(f"{len(things)} {what} removed")
