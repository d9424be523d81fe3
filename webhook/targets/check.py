"""Finds out how a target is: asks the front door about its Secret, and then the target itself."""

from collections.abc import Mapping, Sequence

from webhook.errors import MedeaError, NotAllowed, Refused
from webhook.kube.client import About, Cluster
from webhook.kube.identity import SYSTEM
from webhook.kube.kubeconfig import configuration_of, kubeconfig_of
from webhook.kube.registry import Connect, connect_target
from webhook.kube.resources import (
    CONFIG_MAPS,
    NAMESPACES,
    RESOURCE_QUOTAS,
    SELF_ACCESS_REVIEWS,
    SELF_REVIEWS,
    WORKFLOWS,
)
from webhook.model.contract import DRAIN, IMPERSONATE, OPTED_IN
from webhook.model.deadline import utc_now
from webhook.model.objects import Object, annotations, mapping, status_of
from webhook.nodes.pools import noted_pools
from webhook.targets.acceptance import is_accepted, may, may_watch_events
from webhook.targets.argo import living_controller, missing_kinds, noted_places, takes_up
from webhook.targets.argo_configs import read_config
from webhook.targets.credentials import life_of
from webhook.targets.findings import Facts, Finding, Grade, NamespaceFacts, Unread, again
from webhook.targets.registration import counted, secrets_of


def gather(
    front: Cluster,
    space: str,
    name: str,
    wanted: Sequence[str],
    *,
    connect: Connect = connect_target,
    probe: bool = True,
    recorded: Mapping[str, str] | None = None,
) -> Facts:
    """The facts about one target; `space` is the namespace of the Secrets, `wanted` has namespaces it should accept.

    `recorded` has the uids by which the ledger knows the targets' clusters, by name; None if it could not be asked.
    With `probe`, a small Workflow shows whether Argo's controller works, if nothing else does. Raises the errors of the
    front door, and BadRequest for something that can't be a name.
    """
    secrets = secrets_of(front, space, name)
    if not secrets:
        return _broken(name, "is not registered at this front door", f"{again(name)} --namespaces NAMESPACE")
    secret = counted(secrets)
    try:
        cluster, config = connect(name, configuration_of(secret)), kubeconfig_of(secret)
    except Refused as error:
        return _broken(name, error.message, again(name))
    enabled = [one["metadata"]["name"] for one in front.list(NAMESPACES, selector=OPTED_IN)[0]]
    try:
        about = cluster.about()
    except MedeaError as error:
        if error.details.get("answered") == 401:
            return _broken(name, "does not accept its credentials: they have expired, or were revoked", again(name))
        look = f"kubectl --context {name} get --raw /readyz"
        return _broken(name, f"does not answer at {cluster.address}: {error.message}", look)
    try:
        return _ask(front, cluster, secret, config, about, enabled, wanted, recorded, probe=probe)
    except MedeaError as error:
        return _broken(name, f"answers, and not as it should: {error.message}", again(name))
    finally:
        cluster.close()


def _broken(name: str, words: str, mend: str) -> Facts:
    return Facts(name, broken=Finding(Grade.MISSING, words, mend))


def _ask(
    front: Cluster,
    cluster: Cluster,
    secret: Object,
    config: Object,
    about: About,
    enabled: Sequence[str],
    wanted: Sequence[str],
    recorded: Mapping[str, str] | None,
    *,
    probe: bool,
) -> Facts:
    user = mapping(status_of(cluster.create(SELF_REVIEWS, None, {"metadata": {}})).get("userInfo")).get("username")
    reads, lacking = _may_watch(cluster), missing_kinds(cluster)
    names = [*wanted, *(name for name in sorted(enabled) if name not in wanted)]
    namespaces = [_namespace(front, cluster, name, enabled=name in enabled, wanted=name in wanted) for name in names]
    accepting = [one.name for one in namespaces if one.accepted]
    now = about.now or utc_now()
    controller = None if lacking or not reads else living_controller(cluster, now)
    alive = controller.words if controller else None
    pools, unread = _pools(secret)
    if alive is None and not lacking and probe and accepting and takes_up(cluster, accepting[0]):
        alive = f"it took up a Workflow in namespace {accepting[0]}"
    return Facts(
        name=cluster.name,
        server=cluster.address,
        version=about.version,
        user=str(user),
        reads=reads,
        drained=annotations(secret).get(DRAIN) == "true",
        acting=IMPERSONATE in annotations(secret),
        apart=_apart(front, cluster),
        uid=_uid(cluster),
        recorded=recorded,
        missing_kinds=lacking,
        alive=alive,
        argo=controller.version if controller else None,
        argo_unread=_unread(cluster, secret) if reads and not lacking else (),
        probed=probe,
        life=life_of(config),
        namespaces=namespaces,
        pools=pools,
        pools_unread=unread,
    )


def _pools(secret: Object) -> tuple[list[str], str | None]:
    try:
        return [one.summary for one in noted_pools(secret)], None
    except ValueError as error:
        return [], str(error)


def _unread(cluster: Cluster, secret: Object) -> tuple[Unread, ...]:
    read = [read_config(cluster, place) for place in noted_places(secret)]
    return tuple(one for one in read if isinstance(one, Unread))


def _uid(cluster: Cluster) -> str | None:
    """By which a cluster is known; None if Medea may not read it there."""
    try:
        found = cluster.find(NAMESPACES, None, SYSTEM)
    except NotAllowed:
        return None
    return str(found["metadata"]["uid"]) if found else None


def _may_watch(cluster: Cluster) -> bool:
    wanted = {"verb": "watch", "group": WORKFLOWS.group, "resource": WORKFLOWS.plural}
    review = {"metadata": {}, "spec": {"resourceAttributes": wanted}}
    return status_of(cluster.create(SELF_ACCESS_REVIEWS, None, review)).get("allowed") is True


def _namespace(front: Cluster, cluster: Cluster, name: str, *, enabled: bool, wanted: bool) -> NamespaceFacts:
    exists = cluster.find(NAMESPACES, None, name) is not None
    accepted = exists and is_accepted(cluster, name)
    return NamespaceFacts(
        name=name,
        exists=exists,
        accepted=accepted,
        known=enabled or front.find(NAMESPACES, None, name) is not None,
        enabled=enabled,
        wanted=wanted,
        hard=_hard(cluster, name) if accepted else {},
        sees=accepted and may(cluster, "get", CONFIG_MAPS, name),
        events=accepted and may_watch_events(cluster, name),
    )


def _hard(cluster: Cluster, namespace: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for quota in cluster.list(RESOURCE_QUOTAS, namespace)[0]:
        found |= mapping(status_of(quota).get("hard")) or mapping(mapping(quota.get("spec")).get("hard"))
    return found


def _apart(front: Cluster, cluster: Cluster) -> float | None:
    """By how many seconds the target's clock is ahead of the front door's. They are asked one right after the other."""
    here, there = front.about().now, cluster.about().now
    return None if here is None or there is None else (there - here).total_seconds()
