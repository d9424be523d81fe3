"""Whether Argo Workflows works on a target, as far as Medea's rights there can tell."""

import datetime
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import LEASES, PODS, WORKFLOWS, is_name
from webhook.model.contract import ARGO_CONFIGS, PROBE
from webhook.model.limits.targets import ARGO_LEASE_FRESH, CHECK_POLL, CHECK_PROBE_PATIENCE
from webhook.model.moments import moment_of
from webhook.model.objects import Object, annotations, mappings, spec_of, status_of, texts

KINDS = frozenset({"workflows", "workflowtemplates", "clusterworkflowtemplates", "workflowtaskresults"})
"""The custom resources without which nothing runs."""
_CONTROLLER = "workflow-controller"
_CONFIG_FLAG = "--configmap"


def missing_kinds(cluster: Cluster) -> list[str]:
    """The custom resources of Argo that a target lacks."""
    return sorted(KINDS - cluster.served("argoproj.io/v1alpha1"))


@dataclass(frozen=True)
class Controller:
    """A controller that is alive: what shows it, in words, and its version if that can be seen."""

    words: str
    version: str | None = None


def living_controller(cluster: Cluster, now: datetime.datetime) -> Controller | None:
    """Argo's controller, by its lease, if it elects a leader, or its pod; None if neither shows one.

    That proves nothing: it may run elsewhere. `now` is the target's time.
    """
    pods = [pod for pod in cluster.list(PODS, selector=f"app={_CONTROLLER}")[0] if _is_ready(pod)]
    version = image_tag(spec_of(pods[0])) if pods else None
    for lease in cluster.list(LEASES, fields=f"metadata.name={_CONTROLLER}")[0]:
        if _is_fresh(spec_of(lease).get("renewTime"), now):
            return Controller(f"it renews its lease in namespace {lease['metadata']['namespace']}", version)
    if not pods:
        return None
    metadata = pods[0]["metadata"]
    return Controller(f"pod {metadata['name']} in namespace {metadata['namespace']} is ready", version)


@dataclass(frozen=True, order=True)
class ConfigPlace:
    """Where a controller's configuration is: the namespace and the name of a ConfigMap."""

    namespace: str = "argo"
    name: str = "workflow-controller-configmap"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


USUAL_PLACE = ConfigPlace()


def config_places(cluster: Cluster) -> list[ConfigPlace]:
    """Where the configurations of a cluster's controllers seem to be; the usual place where no pod shows one.

    Whoever may make pods there can make one that looks like a controller: an administrator has to see what was found.
    Raises any error of the target.
    """
    pods = cluster.list(PODS, selector=f"app={_CONTROLLER}")[0]
    return sorted({_config_place(pod) for pod in pods}) or [USUAL_PLACE]


def noted_places(secret: Object) -> list[ConfigPlace]:
    """Those that the Secret of a target names, as `medea target add` wrote them; else the usual one."""
    said = annotations(secret).get(ARGO_CONFIGS, "").split(",")
    named = [ConfigPlace(*one.split("/")) for one in said if one.count("/") == 1]
    return [one for one in named if is_name(one.namespace) and is_name(one.name)] or [USUAL_PLACE]


def note_of_places(places: Iterable[ConfigPlace]) -> dict[str, str]:
    """The annotation for that Secret: `NAMESPACE/NAME`, with commas between several."""
    return {ARGO_CONFIGS: ",".join(map(str, places))}


def _config_place(pod: Object) -> ConfigPlace:
    """By the namespace of a controller's pod, and its arguments: `--configmap NAME` or `--configmap=NAME`."""
    words = [word for one in mappings(spec_of(pod).get("containers")) for word in _words(one)]
    named = [word.partition("=")[2] for word in words if word.startswith(f"{_CONFIG_FLAG}=")]
    named += [after for word, after in pairwise(words) if word == _CONFIG_FLAG]
    name = named[0] if named and is_name(named[0]) else USUAL_PLACE.name
    return ConfigPlace(str(pod["metadata"]["namespace"]), name)


def _words(container: Object) -> list[str]:
    return [*texts(container.get("command")), *texts(container.get("args"))]


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
    moment = moment_of(renewed)
    return moment is not None and (now - moment).total_seconds() < ARGO_LEASE_FRESH


def _is_ready(pod: Object) -> bool:
    conditions = mappings(status_of(pod).get("conditions"))
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def image_tag(pod: Mapping[str, object]) -> str | None:
    """The tag of the controller's image, which is its version; None if it has none. `pod` is the spec of its pod."""
    images = [str(one.get("image")) for one in mappings(pod.get("containers"))]
    tags = [image.rpartition("/")[2].partition("@")[0].partition(":")[2] for image in images]
    return next((tag for tag in tags if tag), None)
