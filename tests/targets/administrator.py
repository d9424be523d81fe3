"""A target that nobody has prepared, as its administrator sees it, and the front door it is to be added to."""

import base64
import datetime
import json
from collections.abc import Iterable
from typing import Any

import yaml
from kubernetes.client import Configuration

from tests.support.fake_apiserver import Call, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.identity import SYSTEM
from webhook.kube.kubeconfig import Reach
from webhook.kube.resources import PODS, RESOURCE_QUOTAS, ROLE_BINDINGS, SECRETS, Resource
from webhook.model.contract import ENABLED
from webhook.targets.grants import WORK
from webhook.targets.impersonation import Impersonation
from webhook.targets.join import Done, add

SPACE = "medea-targets"
REACH = Reach("https://west:6443")
SUBJECT = "system:serviceaccount:medea-system:medea"


def jwt(begins: datetime.datetime, seconds: float, subject: str = SUBJECT, **claims: Any) -> str:
    """A token as an apiserver signs it, without a signature that is worth anything."""
    said = {"iat": int(begins.timestamp()), "exp": int(begins.timestamp() + seconds), "sub": subject, **claims}
    return ".".join(_part(one) for one in ({"alg": "RS256"}, said, {}))


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


class _Kept(Cluster):
    """Can be used on after a command has closed it."""

    def close(self) -> None:
        """Nothing."""


class Administrator:
    """Has every right on both clusters. The target gives tokens and honours RoleBindings as real ones do."""

    def __init__(self, *namespaces: str) -> None:
        self.clock = FakeClock()
        self.front, self.west = (FakeApiserver(name, clock=self.clock) for name in ("front", "west"))
        self.front.namespace(SPACE)
        self.west.namespace(SYSTEM)
        self.west.serve(Resource("argoproj.io/v1alpha1", "WorkflowTaskResult", "workflowtaskresults"))
        self.west.user = SUBJECT
        self.west.allowed = self._allowed
        for name in namespaces:
            self.front.namespace(name, {ENABLED: "true"})
            self.west.namespace(name)
            hard = {"limits.cpu": "8", "limits.memory": "16Gi"}
            self.west.put(RESOURCE_QUOTAS, {"metadata": {"name": "q", "namespace": name}, "spec": {"hard": hard}})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        pod = {"name": "workflow-controller-1", "namespace": "argo", "labels": {"app": "workflow-controller"}}
        container = {"name": "workflow-controller", "image": "quay.io/argoproj/workflow-controller:v3.7.4"}
        self.west.put(PODS, {"metadata": pod, "spec": {"containers": [container]}, "status": ready})

    def _allowed(self, spec: Any) -> bool:
        asked = spec["resourceAttributes"]
        if asked["verb"] == "watch":
            return True
        return self.west.get(ROLE_BINDINGS, asked["namespace"], WORK) is not None

    @property
    def front_door(self) -> Cluster:
        return Cluster("front", Configuration(), http=self.front, clock=self.clock)

    def target(self, name: str = "west", configuration: Configuration | None = None) -> Cluster:
        """The target's client."""
        return _Kept(name, configuration or Configuration(), http=self.west, clock=self.clock)

    def add(
        self,
        *namespaces: str,
        reach: Reach = REACH,
        acting: Impersonation | None = None,
        into_pods: bool = False,
        see_secrets: bool = False,
        take_config_maps: bool = False,
        pool_label: str | None = None,
    ) -> list[Done]:
        """`medea target add west --namespaces …`."""
        done = add(
            self.front_door,
            self.target(),
            reach,
            space=SPACE,
            namespaces=namespaces,
            now=self.clock.now(),
            acting=acting,
            into_pods=into_pods,
            see_secrets=see_secrets,
            take_config_maps=take_config_maps,
            pool_label=pool_label,
        )
        return list(done)

    def written(self, on: FakeApiserver | None = None) -> list[str]:
        """The calls that changed something."""
        return [str(call) for call in (on or self.west).calls if _writes(call)]

    def kubeconfig(self) -> dict[str, Any]:
        """What is in the Secret."""
        secret = self.front.get(SECRETS, SPACE, "target-west")
        assert secret is not None
        config: dict[str, Any] = yaml.safe_load(base64.b64decode(secret["data"]["kubeconfig"]))
        return config


def _writes(call: Call) -> bool:
    return call.verb in ("create", "patch", "replace", "delete") and not call.resource.endswith("reviews")


def hows(done: Iterable[Done]) -> list[str]:
    return [one.how for one in done]
