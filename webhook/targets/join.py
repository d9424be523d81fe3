"""Adds a target: gives Medea what it needs there, and registers it at the front door by a Secret.

Every step may be done again, and changes only what is not as it should be. The Secret comes last: until it is there
nothing uses what the others have made.
"""

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webhook.errors import MedeaError, Refused
from webhook.kube.client import Cluster
from webhook.kube.identity import SYSTEM
from webhook.kube.kubeconfig import Reach, kubeconfig_of
from webhook.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    NODES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    checked_name,
)
from webhook.model.contract import CLUSTER, CONSENT, IMPERSONATE
from webhook.model.limits.targets import TOKEN_SECONDS
from webhook.model.objects import Object, annotations
from webhook.nodes.pools import note_of_pools
from webhook.targets.argo import ConfigPlace, config_places, living_controller, note_of_places
from webhook.targets.credentials import kubeconfig, life_of, secret_data, token_of, with_token
from webhook.targets.findings import Grade, argo, kubernetes
from webhook.targets.grants import ACCOUNT, SPACE, Grant, grants, way_in
from webhook.targets.impersonation import NAME as IMPERSONATING
from webhook.targets.impersonation import Impersonation
from webhook.targets.registration import counted, secrets_of


@dataclass(frozen=True)
class Done:
    """What became of one object: `how` is `made`, `changed`, `as it was` or `removed`."""

    how: str
    words: str


def add(
    front: Cluster,
    target: Cluster,
    reach: Reach,
    *,
    space: str,
    namespaces: Sequence[str],
    now: datetime.datetime,
    acting: Impersonation | None = None,
    into_pods: bool = False,
    see_secrets: bool = False,
    take_config_maps: bool = False,
    pool_label: str | None = None,
) -> Iterator[Done]:
    """Add the target that `target` is an administrator's client of; `space` is the namespace of the Secrets.

    With `acting`, Workflows are created there as who submits them; without, that stays as it was. `into_pods` lets
    people into the pods of their runs in these namespaces; without, that stays as it was too. So does what
    `see_secrets` and `take_config_maps` give, see `grants`. With `pool_label` its node pools are noted as they are:
    a pool for each value of that label.

    Yields what was done, step by step. Raises Refused before anything is made if a namespace is missing or a version is
    too old, and the errors of both clusters.
    """
    checked_name("target", target.name)
    _check_versions(target, now)
    _check_namespaces(target, [*namespaces, *(acting.namespaces if acting else ())])
    _check_space(front, space)
    if acting:
        _check_other(front, target)
    configs, pools = _configs(target), _pools(target, pool_label)
    given = grants(namespaces, configs, see_secrets=see_secrets, take_config_maps=take_config_maps)
    ways_in = [way_in(namespace) for namespace in namespaces] if into_pods else ()
    for grant in (*given, *ways_in, *(acting.grants() if acting else ())):
        yield Done(_ensure(target, grant), f"{grant.words} on {target.name}")
    if acting:
        yield from _withdraw(target, acting)
    secret, config = _registered(front, space, target.name)
    wanted = kubeconfig(target.name, reach, "")
    if config is not None and _still_good(config, wanted, now):
        yield Done("as it was", "the token in the front door's Secret, which is valid for long enough")
    else:
        token = target.request_token(SPACE, ACCOUNT, TOKEN_SECONDS)
        yield Done("made", f"a token of ServiceAccount {ACCOUNT} in {SPACE}, renewed by Medea before it expires")
        yield _register(front, space, secret, target.name, with_token(wanted, token), acting)
    if acting:
        words = f"Secret {secret} says that Workflows are created there as who submits them"
        yield Done(_note(front, space, secret, _noted(acting)), words)
    if configs:
        words = f"Secret {secret} says where Argo's configuration is: {', '.join(map(str, configs))}"
        yield Done(_note(front, space, secret, note_of_places(configs)), words)
    if pools:
        words = f"Secret {secret} names the node pools by {pool_label}"
        yield Done(_note(front, space, secret, pools), words)


def _configs(target: Cluster) -> list[ConfigPlace]:
    """Where Argo's configuration is; without Argo's namespace, nowhere yet."""
    return [one for one in config_places(target) if target.find(NAMESPACES, None, one.namespace) is not None]


def _pools(target: Cluster, label: str | None) -> dict[str, str]:
    """The note of its node pools, from its nodes, which the administrator may list; Medea needs no right to."""
    if label is None:
        return {}
    try:
        return note_of_pools(target.list(NODES)[0], label)
    except ValueError as error:
        raise Refused(
            f"{target.name}: {error}; nothing was done: kubectl --context {target.name} get nodes -L {label}"
        ) from error


def _check_versions(target: Cluster, now: datetime.datetime) -> None:
    controller = living_controller(target, now)
    found = [kubernetes(target.about().version)]
    if controller and controller.version:
        found.append(argo(controller.version, f"kubectl --context {target.name}"))
    for one in found:
        if one.grade is Grade.MISSING:
            raise Refused(f"{target.name} has {one.words}; nothing was done: {one.mend}")


def _check_namespaces(target: Cluster, namespaces: Sequence[str]) -> None:
    missing = [name for name in namespaces if target.find(NAMESPACES, None, checked_name("namespace", name)) is None]
    if missing:
        commands = "; ".join(f"kubectl --context {target.name} create namespace {name}" for name in missing)
        raise Refused(f"namespace {', '.join(missing)} does not exist on {target.name}; nothing was done: {commands}")


def _check_space(front: Cluster, space: str) -> None:
    if front.find(NAMESPACES, None, space) is None:
        raise Refused(f"the front door has no namespace {space}; install Medea there first")


def _check_other(front: Cluster, target: Cluster) -> None:
    """A run that somebody else's name is on would be taken for a submission, where Workflows are submitted."""
    here, there = (one.find(NAMESPACES, None, SYSTEM) or {} for one in (front, target))
    if here and here.get("metadata", {}).get("uid") == there.get("metadata", {}).get("uid"):
        raise Refused(f"{target.name} is the front door itself, where Medea creates runs in its own name only")


def _withdraw(target: Cluster, acting: Impersonation) -> Iterator[Done]:
    """Take back what an earlier `--impersonate` gave and this one does not."""
    wanted = {(grant.kind, grant.namespace) for grant in acting.grants()}
    for kind in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS, ROLES, CLUSTER_ROLES):
        for one in target.list(kind, selector=f"{CONSENT}=true")[0]:
            namespace = one["metadata"].get("namespace")
            if one["metadata"]["name"] == IMPERSONATING and (kind, namespace) not in wanted:
                target.delete(kind, namespace, IMPERSONATING, propagation="Background")
                yield Done("removed", Grant(kind, one).words + f" on {target.name}")


def _note(front: Cluster, space: str, secret: str, noted: dict[str, str]) -> str:
    if annotations(front.get(SECRETS, space, secret)).items() >= noted.items():
        return "as it was"
    front.patch(SECRETS, space, secret, {"metadata": {"annotations": noted}})
    return "changed"


def _noted(acting: Impersonation | None) -> dict[str, str]:
    return {IMPERSONATE: json.dumps(sorted(acting.groups))} if acting else {}


def _ensure(target: Cluster, grant: Grant) -> str:
    found = target.find(grant.kind, grant.namespace, grant.name)
    if found is not None and found.get("roleRef", {}) != grant.body.get("roleRef", {}):
        # A binding's role can't be changed.
        target.delete(grant.kind, grant.namespace, grant.name, propagation="Background")
        found = None
    if found is None:
        target.create(grant.kind, grant.namespace, grant.body)
        return "made"
    wanted: Object = {key: grant.body[key] for key in ("rules", "subjects") if key in grant.body}
    if all(_same(found.get(key), value) for key, value in wanted.items()):
        return "as it was"
    target.patch(grant.kind, grant.namespace, grant.name, wanted)
    return "changed"


def _same(found: object, wanted: object) -> bool:
    """Whether rules or subjects are the wanted ones; an apiserver fills in the group of a subject's kind."""
    if not isinstance(found, list) or not isinstance(wanted, list):
        return False
    plain = [{key: value for key, value in one.items() if key != "apiGroup"} for one in found]
    return plain == wanted


def _registered(front: Cluster, space: str, name: str) -> tuple[str, Object | None]:
    """The name of the Secret that registers the target, or is to, and the kubeconfig in it if it can be read."""
    secrets = secrets_of(front, space, name)
    if not secrets:
        return f"target-{name}", None
    secret = counted(secrets)
    try:
        return str(secret["metadata"]["name"]), kubeconfig_of(secret)
    except MedeaError:
        return str(secret["metadata"]["name"]), None


def _still_good(config: Object, wanted: Object, now: datetime.datetime) -> bool:
    life, token = life_of(config), token_of(config)
    return life is not None and token is not None and now < life.half and config == with_token(wanted, token)


def _register(front: Cluster, space: str, secret: str, name: str, config: Object, acting: Impersonation | None) -> Done:
    # In one write: a target that has just been added must not take anything in Medea's own name meanwhile.
    marks = {"labels": {CLUSTER: name}, "annotations": _noted(acting)}
    body = {"metadata": {"name": secret, **marks}, "type": "Opaque", "data": secret_data(config)}
    if front.find(SECRETS, space, secret) is None:
        front.create(SECRETS, space, body)
        return Done("made", f"Secret {secret} in {space} at the front door")
    front.patch(SECRETS, space, secret, {"metadata": marks, "data": body["data"]})
    return Done("changed", f"Secret {secret} in {space} at the front door")
