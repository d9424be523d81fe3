"""Mirrored pods: how they look, and what must change to bring them up to date. Pure.

They never have the label `workflows.argoproj.io/completed`: Argo's controller looks only at pods with that label, and
must ignore these, which are there for people and `argo logs`.
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
# A mirrored pod needs nothing, but where a quota limits CPU or memory, every container must set limits.
_NOTHING = {"cpu": "0", "memory": "0"}
# Pod Security Standards may require these.
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def slim(pod: Object) -> Object:
    """The part of a pod that is kept in memory: a busy target has many pods, and most of each is not needed."""
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
    """What is known about one placement's pods. `origin` is None if it is to have no mirrored pods, or none any more.

    `pods` are those of its run on the target `cluster`, `mirrored` the mirrored ones at the front door. Both are in the
    form that `slim` returns.
    """

    placement: str
    cluster: str
    origin: Object | None
    run: Object | None
    pods: Sequence[Object]
    mirrored: Sequence[Object]


@dataclass(frozen=True)
class Changes:
    """What to do: pods to create, each with its status; mirrored pods to change, each with the merge patch of its
    status; and mirrored pods to delete."""

    create: Sequence[tuple[Object, Object]] = ()
    statuses: Sequence[tuple[Object, Object]] = ()
    delete: Sequence[Object] = ()


def plan(facts: Facts) -> Changes:
    """The changes that bring the mirrored pods up to date. Pending pods have no log, so they are not mirrored."""
    shown = {annotations(pod).get(MIRRORED_UID): pod for pod in facts.mirrored}
    pods = [pod for pod in facts.pods if pod["status"].get("phase", "Pending") != "Pending"] if facts.origin else []
    wanted = {pod["metadata"]["uid"]: pod for pod in pods}
    statuses = [(shown[uid], patch) for uid in wanted if uid in shown and (patch := _patch(shown[uid], wanted[uid]))]
    true = [one for uid, one in shown.items() if uid in wanted and "deletionTimestamp" not in one["metadata"]]
    # A pod that somebody deletes stays until its kubelet confirms; Medea does that by deleting it for good.
    delete = [one for one in facts.mirrored if one not in true]
    missing = [pod for uid, pod in wanted.items() if uid not in shown]
    return Changes(_named(facts, missing) if missing else (), statuses, delete)


def status_of(pod: Object) -> Object:
    """The status to show on the mirrored pod."""
    status = pod["status"]
    return {**_only(status, _STATUS), **_container_statuses(status)}


def _named(facts: Facts, pods: Sequence[Object]) -> list[tuple[Object, Object]]:
    """New mirrored pods, for those pods whose node the origin already shows."""
    assert facts.origin is not None
    nodes = nodes_of(facts.origin)
    made = []
    for pod in pods:
        node_id = annotations(pod).get(ARGO_NODE_ID, "")
        # With hold `plugin` the run's nodes are grafted under prefixed ids; with `none` they keep their ids.
        node = nodes.get(GRAFTED + node_id) or nodes.get(node_id)
        if node is not None:
            made.append((mirrored_pod(pod, pod_name(facts.origin, node), facts), status_of(pod)))
        elif facts.run is not None and offloaded(facts.run):
            made.append((mirrored_pod(pod, pod["metadata"]["name"], facts), status_of(pod)))
    return made


def mirrored_pod(pod: Object, name: str, facts: Facts) -> Object:
    """The pod to create at the front door; its status must be written afterwards, because a create ignores it."""
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
