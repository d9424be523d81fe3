"""Mirrored pods: what they look like, and what has to change for them to be true. Pure.

Argo's controller looks at pods with the label `workflows.argoproj.io/completed` only, so these have none, whatever the
pod they stand for has: at the front door they are there for people, and for `argo logs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhook.controller.origin_status.merge import merge_patch
from webhook.kube.resources import WORKFLOWS
from webhook.logs.names import pod_name
from webhook.logs.node import node_name
from webhook.model.contract import ARGO_NODE_ID, ARGO_WORKFLOW, GRAFTED, MIRRORED, MIRRORED_POD, MIRRORED_UID, PLACEMENT
from webhook.model.nodes import nodes_of, offloaded
from webhook.model.objects import Object, annotations

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_METADATA = ("name", "namespace", "uid", "labels", "annotations", "deletionTimestamp", "resourceVersion")
_ANNOTATIONS = (ARGO_NODE_ID, _DEFAULT_CONTAINER, MIRRORED_POD, MIRRORED_UID)
_CONTAINER = ("name", "image", "restartPolicy")
_STATUS = ("phase", "startTime", "message", "reason", "containerStatuses", "initContainerStatuses")
_CONTAINER_STATUS = (
    "name",
    "state",
    "lastState",
    "ready",
    "restartCount",
    "image",
    "imageID",
    "containerID",
    "started",
)
# It runs nowhere. A quota that limits these wants to see a limit, and counts nothing for it.
_NOTHING = {"cpu": "0", "memory": "0"}
# Namespaces may demand these of their pods.
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def slim(pod: Object) -> Object:
    """What is kept of a pod in memory: the pods of a busy target are many, and most of each is of no use here."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    kept = _only(metadata, _METADATA)
    if "annotations" in kept:
        kept["annotations"] = _only(kept["annotations"], _ANNOTATIONS)
    return {
        "metadata": kept,
        "spec": {
            **_only(spec, ("nodeName", "restartPolicy")),
            "containers": [_only(one, _CONTAINER) for one in spec["containers"]],
            "initContainers": [_only(one, _CONTAINER) for one in spec.get("initContainers") or []],
        },
        "status": {**_only(status, _STATUS), **_container_statuses(status)},
    }


@dataclass(frozen=True)
class Facts:
    """What is known of one placement's pods. `origin` is None when it is not, or no longer, to have any.

    `pods` are those of its run on the target `cluster`, `mirrored` those that stand for such at the front door. Both as
    `slim` leaves them.
    """

    placement: str
    cluster: str
    origin: Object | None
    run: Object | None
    pods: Sequence[Object]
    mirrored: Sequence[Object]


@dataclass(frozen=True)
class Changes:
    """What has to be done: pods to create, each with the status it gets then; pods at the front door to change, each
    with the merge patch of its status; and pods to delete."""

    create: Sequence[tuple[Object, Object]] = ()
    statuses: Sequence[tuple[Object, Object]] = ()
    delete: Sequence[Object] = ()


def plan(facts: Facts) -> Changes:
    """What makes the mirrored pods true. A pod that waits has no log, and none is made for it."""
    shown = {annotations(pod).get(MIRRORED_UID): pod for pod in facts.mirrored}
    pods = [pod for pod in facts.pods if pod["status"].get("phase", "Pending") != "Pending"] if facts.origin else []
    wanted = {pod["metadata"]["uid"]: pod for pod in pods}
    statuses = [(shown[uid], patch) for uid in wanted if uid in shown and (patch := _patch(shown[uid], wanted[uid]))]
    true = [one for uid, one in shown.items() if uid in wanted and "deletionTimestamp" not in one["metadata"]]
    # Whoever deletes a pod waits for its kubelet to let it go: that is Medea, here.
    delete = [one for one in facts.mirrored if one not in true]
    missing = [pod for uid, pod in wanted.items() if uid not in shown]
    return Changes(_named(facts, missing) if missing else (), statuses, delete)


def status_of(pod: Object) -> Object:
    """The status that a mirrored pod has for this pod."""
    status = pod["status"]
    return {**_only(status, _STATUS), **_container_statuses(status)}


def _named(facts: Facts, pods: Sequence[Object]) -> list[tuple[Object, Object]]:
    """New mirrored pods, for those pods whose node the origin shows by now."""
    assert facts.origin is not None
    nodes = nodes_of(facts.origin)
    made = []
    for pod in pods:
        node_id = annotations(pod).get(ARGO_NODE_ID, "")
        # One hold shows a run's nodes as a graft, under ids of its own, the other as they are.
        node = nodes.get(GRAFTED + node_id) or nodes.get(node_id)
        if node is not None:
            made.append((mirrored_pod(pod, pod_name(facts.origin, node), facts), status_of(pod)))
        elif facts.run is not None and offloaded(facts.run):
            made.append((mirrored_pod(pod, pod["metadata"]["name"], facts), status_of(pod)))
    return made


def mirrored_pod(pod: Object, name: str, facts: Facts) -> Object:
    """The pod to create at the front door; its status has to follow, because no create takes one."""
    assert facts.origin is not None
    owner, spec = facts.origin["metadata"], pod["spec"]
    return {
        "metadata": {
            "name": name,
            "namespace": owner["namespace"],
            "labels": {ARGO_WORKFLOW: owner["name"], MIRRORED: facts.cluster, PLACEMENT: facts.placement},
            "annotations": {
                **_only(annotations(pod), (_DEFAULT_CONTAINER,)),
                MIRRORED_POD: pod["metadata"]["name"],
                MIRRORED_UID: pod["metadata"]["uid"],
            },
            "ownerReferences": [
                {
                    "apiVersion": WORKFLOWS.api_version,
                    "kind": WORKFLOWS.kind,
                    "name": owner["name"],
                    "uid": owner["uid"],
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "nodeName": node_name(facts.cluster),
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "restartPolicy": spec.get("restartPolicy", "Never"),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [_container(one) for one in spec["containers"]],
            "initContainers": [_container(one) for one in spec["initContainers"]],
        },
    }


def _container(container: Object) -> Object:
    return {**container, "securityContext": _RESTRICTED, "resources": {"limits": _NOTHING, "requests": _NOTHING}}


def _patch(shown: Object, pod: Object) -> Object:
    wanted = status_of(pod)
    gone = {key: None for key in _STATUS if key in shown["status"] and key not in wanted}
    return merge_patch(shown["status"], {**wanted, **gone})


def _container_statuses(status: Mapping[str, Any]) -> Object:
    return {
        key: [_only(one, _CONTAINER_STATUS) for one in status[key]]
        for key in ("containerStatuses", "initContainerStatuses")
        if status.get(key)
    }


def _only(thing: Mapping[str, Any], keys: Sequence[str]) -> Object:
    return {key: thing[key] for key in keys if key in thing}
