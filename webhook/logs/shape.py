"""How a mirrored pod looks: as its original, but for what would have an effect at the front door. Pure.

Nothing runs there, but others act on what a pod's spec says: quotas count, controllers make volumes and tie PVCs to the
pods that name them, Pod Security refuses. Docs of what differs: `docs/using.md`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from webhook.kube.resources import WORKFLOWS
from webhook.logs.node import node_name
from webhook.model.contract import (
    ARGO,
    ARGO_COMPLETED,
    ARGO_NODE_ID,
    ARGO_NODE_NAME,
    ARGO_WORKFLOW,
    MIRRORED,
    MIRRORED_POD,
    MIRRORED_UID,
    PLACEMENT,
    PREFIX,
)
from webhook.model.objects import Metadata, Object, annotations, labels, mappings

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_OF_NODE = (ARGO_NODE_ID, ARGO_NODE_NAME)

_POD = (
    "activeDeadlineSeconds",
    "affinity",
    "dnsConfig",
    "dnsPolicy",
    "hostAliases",
    "hostname",
    "restartPolicy",
    "schedulerName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
)
# Whoever deletes one deletes the original, with the grace that the mirrored one has.
_BARE_POD = ("restartPolicy", "terminationGracePeriodSeconds")
_BARE_CONTAINER = ("name", "image", "restartPolicy")
_CHANGED_CONTAINER = ("securityContext", "resources", "volumeDevices")
_VOLUMES = ("configMap", "secret", "emptyDir", "projected", "downwardAPI")
"""Sources of volumes that only a kubelet acts on, and that Pod Security's level `restricted` admits."""
# A mirrored pod needs nothing, but where a quota limits CPU or memory, every container must set limits.
_NOTHING = {"cpu": "0", "memory": "0"}
# Pod Security Standards may require these.
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def argo_marks(pod: Object) -> Object:
    """Argo's labels and annotations, as metadata, which change while the pod lives; not those that name its node.

    The label `completed` is kept only as `true`: Argo's controller takes pods with `false` for its own.
    """
    marks = {key: value for key, value in labels(pod).items() if key.startswith(ARGO) and key != ARGO_WORKFLOW}
    if marks.get(ARGO_COMPLETED) != "true":
        marks.pop(ARGO_COMPLETED, None)
    notes = {key: value for key, value in annotations(pod).items() if key.startswith(ARGO) and key not in _OF_NODE}
    return {"labels": marks, "annotations": notes}


def mirrored_pods(
    pod: Object, *, name: str, node: Object | None, origin: Object, cluster: str, placement: str
) -> tuple[Object, Object]:
    """The pod to create at the front door, and one to create if that is refused: of names and images alone.

    `pod` is the original, and `node` stands for it in the origin, None if none does. The status must be written
    afterwards, because a create ignores it.
    """
    marks, owner = argo_marks(pod), origin["metadata"]
    of_node = {ARGO_NODE_ID: node["id"], ARGO_NODE_NAME: node["name"]} if node else {}
    own = {key: value for key, value in labels(pod).items() if not key.startswith((ARGO, PREFIX))}
    metadata = {
        "name": name,
        "namespace": owner["namespace"],
        "labels": {**marks["labels"], ARGO_WORKFLOW: owner["name"], MIRRORED: cluster, PLACEMENT: placement},
        "annotations": {
            **only(annotations(pod), (_DEFAULT_CONTAINER,)),
            **marks["annotations"],
            **of_node,
            MIRRORED_POD: pod["metadata"]["name"],
            MIRRORED_UID: pod["metadata"]["uid"],
        },
        "ownerReferences": [_owned_by(owner)],
    }
    full = {"metadata": {**metadata, "labels": {**own, **metadata["labels"]}}, "spec": _full_spec(pod["spec"], cluster)}
    return full, {"metadata": metadata, "spec": _bare_spec(pod["spec"], cluster)}


def _owned_by(origin: Metadata) -> Object:
    return {
        "apiVersion": WORKFLOWS.api_version,
        "kind": WORKFLOWS.kind,
        "name": origin["name"],
        "uid": origin["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _full_spec(spec: Object, cluster: str) -> Object:
    return {
        **only(spec, _POD),
        **_bound(cluster, spec),
        **_grace(spec),
        "volumes": [_volume(one) for one in mappings(spec.get("volumes"))],
        "containers": [_container(one) for one in mappings(spec.get("containers"))],
        "initContainers": [_container(one) for one in mappings(spec.get("initContainers"))],
    }


def _bare_spec(spec: Object, cluster: str) -> Object:
    return {
        **only(spec, _BARE_POD),
        **_bound(cluster, {}),
        **_grace(spec),
        "containers": [_quiet(only(one, _BARE_CONTAINER)) for one in mappings(spec.get("containers"))],
        "initContainers": [_quiet(only(one, _BARE_CONTAINER)) for one in mappings(spec.get("initContainers"))],
    }


def _grace(spec: Object) -> Object:
    """Without any grace a deleted pod is gone at once, and nothing would be left that says whose wish it was."""
    return {"terminationGracePeriodSeconds": 1} if spec.get("terminationGracePeriodSeconds") == 0 else {}


def _bound(cluster: str, spec: Object) -> Object:
    """What binds a pod to the virtual Node for good; a real kubelet that had the Node's name would refuse it."""
    return {
        "nodeName": node_name(cluster),
        "nodeSelector": {**(spec.get("nodeSelector") or {}), MIRRORED: cluster},
        # The first that fits counts. Originals tolerate a silent Node for 300 s: were Medea away for longer, the front
        # door would delete what it shows.
        "tolerations": [{"operator": "Exists"}, *mappings(spec.get("tolerations"))],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }


def _volume(volume: Object) -> Object:
    """The volume; one that would tie or make storage at the front door is shown as an empty directory."""
    return {"name": volume.get("name"), **(only(volume, _VOLUMES) or {"emptyDir": {}})}


def _container(container: Object) -> Object:
    kept = {key: value for key, value in container.items() if key not in _CHANGED_CONTAINER}
    if "ports" in kept:
        kept["ports"] = [
            {key: value for key, value in one.items() if key not in ("hostPort", "hostIP")}
            for one in mappings(kept["ports"])
        ]
    return _quiet(kept)


def _quiet(container: Object) -> Object:
    return {**container, "securityContext": _RESTRICTED, "resources": {"limits": _NOTHING, "requests": _NOTHING}}


def only(thing: Mapping[str, Any], keys: Sequence[str]) -> Object:
    """The part of a JSON object with these keys."""
    return {key: thing[key] for key in keys if key in thing}
