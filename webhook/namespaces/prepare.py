"""Prepares the namespaces that opted in, so that users don't have to, and clears up those that have left.

The agent's pod runs as `medea-agent`, and the plugin in it as `medea-executor-plugin`. Argo mounts the token of each
from a Secret named after the account, which Kubernetes no longer creates by itself. The plugin's ConfigMap comes last:
the webhook takes it for the sign that the rest is there, and admits nothing before.

Only the controller that leads does this. It reads nothing here, so it needs no right to read Secrets or ConfigMaps.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from webhook.errors import AlreadyExists, MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS, ROLE_BINDINGS, SECRETS, SERVICE_ACCOUNTS, Resource
from webhook.model.contract import AGENT_ACCOUNT, MANAGED_BY, PLUGIN_ACCOUNT
from webhook.model.deadline import Clock, Deadline
from webhook.model.limits.namespaces import PREPARE_BUDGET, PREPARE_TIMEOUT, PREPARED_REMEMBERED
from webhook.model.objects import Object
from webhook.namespaces.hold import version_of
from webhook.namespaces.plugin_configmap import plugin_configmap

log = structlog.get_logger(__name__)

MANAGED = f"{MANAGED_BY}=medea"
"""Selector of everything that is made here."""
_LABELS = {MANAGED_BY: "medea"}
_KEPT_CURRENT = (SERVICE_ACCOUNTS, CONFIG_MAPS)
"""What is changed when the settings or the certificates do. The others never change, and a Secret holds its token."""


@dataclass(frozen=True)
class Plugin:
    """How agents run the plugin. `authority` returns the certificates, as PEM, that vouch for `url`."""

    image: str
    url: str
    authority: Callable[[], str]
    pull_secrets: tuple[str, ...] = ()
    """Names of Secrets in each namespace, with which agents' images are pulled."""


class Preparer:
    """Remembers which namespaces are prepared, and with what."""

    def __init__(self, front: Cluster, plugin: Plugin, *, clock: Clock = time.monotonic) -> None:
        self._front, self._plugin, self._clock = front, plugin, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}

    def see_to(self, namespace: Object) -> None:
        """Prepare the namespace, unless that has been done lately with the same content.

        Raises Unavailable if time runs out, and any error of the front door.
        """
        name = namespace["metadata"]["name"]
        wanted = wanted_objects(name, self._plugin)
        content = f"{version_of(namespace)} {_digest(wanted)}"
        with self._lock:
            known, until = self._known.get(name, ("", 0.0))
        if known == content and self._clock() < until:
            return
        deadline = Deadline.after(PREPARE_BUDGET, self._clock)
        for kind, body in wanted:
            self._keep(kind, name, body, deadline)
        with self._lock:
            self._known[name] = (content, self._clock() + PREPARED_REMEMBERED)

    def prepared(self) -> set[str]:
        """The names of all namespaces in which something was prepared, by this process or an earlier one."""
        found, _ = self._front.list(SERVICE_ACCOUNTS, selector=MANAGED)
        return {one["metadata"]["namespace"] for one in found if one["metadata"]["name"] == AGENT_ACCOUNT}

    def clear_up(self, namespace: str) -> None:
        """Remove from a namespace what was prepared in it. What fails is logged, and the next sweep tries again."""
        for kind, name in removal_order():
            try:
                self._front.delete(kind, namespace, name, propagation="Background")
            except MedeaError as error:
                words = {"namespace": namespace, "kind": kind.kind, "name": name, "reason": error.message}
                log.warning("not removed from a namespace that opted out", **words)
                return
        with self._lock:
            self._known.pop(namespace, None)
        log.info("namespace cleared up", namespace=namespace)

    def _keep(self, kind: Resource, namespace: str, body: Object, deadline: Deadline) -> None:
        timeout = deadline.timeout(PREPARE_TIMEOUT, f"to prepare namespace {namespace}")
        name = body["metadata"]["name"]
        try:
            self._front.create(kind, namespace, body, read_timeout=timeout)
        except AlreadyExists:
            if kind in _KEPT_CURRENT:
                self._front.patch(kind, namespace, name, body)
            return
        log.info("namespace prepared", namespace=namespace, kind=kind.kind, name=name)


def wanted_objects(namespace: str, plugin: Plugin) -> list[tuple[Resource, Object]]:
    """Two accounts, their token Secrets, the agent's rights on WorkflowTaskSets, and the plugin's ConfigMap."""
    pulls = [{"name": name} for name in plugin.pull_secrets]
    configmap = plugin_configmap(url=plugin.url, authority=plugin.authority(), image=plugin.image)
    configmap["metadata"]["labels"] |= _LABELS
    binding = {
        **_named(AGENT_ACCOUNT),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AGENT_ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": AGENT_ACCOUNT, "namespace": namespace}],
    }
    return [
        (SERVICE_ACCOUNTS, {**_named(AGENT_ACCOUNT), "imagePullSecrets": pulls}),
        (SERVICE_ACCOUNTS, _named(PLUGIN_ACCOUNT)),
        (SECRETS, _token(AGENT_ACCOUNT)),
        (SECRETS, _token(PLUGIN_ACCOUNT)),
        (ROLE_BINDINGS, binding),
        (CONFIG_MAPS, configmap),
    ]


def removal_order() -> list[tuple[Resource, str]]:
    """Kinds and names of the same, the ConfigMap first, and last the account by which `prepared` finds the rest."""
    accounts = (PLUGIN_ACCOUNT, AGENT_ACCOUNT)
    return [
        (CONFIG_MAPS, PLUGIN_ACCOUNT),
        (ROLE_BINDINGS, AGENT_ACCOUNT),
        *((SECRETS, _token_name(account)) for account in accounts),
        *((SERVICE_ACCOUNTS, account) for account in accounts),
    ]


def _named(name: str) -> Object:
    return {"metadata": {"name": name, "labels": _LABELS}}


def _token_name(account: str) -> str:
    return f"{account}.service-account-token"


def _token(account: str) -> Object:
    metadata = {
        "name": _token_name(account),
        "labels": _LABELS,
        "annotations": {"kubernetes.io/service-account.name": account},
    }
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token"}


def _digest(wanted: list[tuple[Resource, Object]]) -> str:
    return hashlib.sha256(json.dumps([body for _, body in wanted], sort_keys=True).encode()).hexdigest()
