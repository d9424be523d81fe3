"""Mirrored pods: what must change to bring them up to date. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhook.admission.stub import stub_placement
from webhook.controller.origin_status.merge import merge_patch
from webhook.logs.names import pod_name
from webhook.logs.shape import argo_marks, only
from webhook.model.contract import ARGO, ARGO_NODE_ID, GRAFTED, MIRRORED_POD, MIRRORED_UID
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.nodes import Nodes, nodes_of, offloaded
from webhook.model.objects import Object, annotations, mappings, spec_of

_METADATA = (
    "name",
    "namespace",
    "uid",
    "labels",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "resourceVersion",
)
_STATUS = (
    "phase",
    "startTime",
    "message",
    "reason",
    "conditions",
    "containerStatuses",
    "initContainerStatuses",
)
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
_EVICTED = "EvictionByEvictionAPI"
_LISTS = {
    "conditions": ("type", "status", "reason", "message", "lastTransitionTime"),
    "containerStatuses": _CONTAINER_STATUS,
    "initContainerStatuses": _CONTAINER_STATUS,
}


def slim(pod: Object) -> Object:
    """The part of a pod that is kept in memory: a busy target has many pods, and most of each is not needed."""
    metadata, spec = pod["metadata"], pod["spec"]
    marks = {
        key: value
        for key, value in annotations(pod).items()
        if key.startswith(ARGO) or key in (MIRRORED_POD, MIRRORED_UID)
    }
    return {
        "metadata": {**only(metadata, _METADATA), "annotations": marks},
        "spec": only(spec, ("nodeName",)),
        "status": status_of(pod),
    }


def status_of(pod: Object) -> Object:
    """The status to show on the mirrored pod: without addresses, so that no Service of the front door sends there."""
    status = pod.get("status") or {}
    known = {key: [only(one, keys) for one in mappings(status.get(key))] for key, keys in _LISTS.items()}
    return {**only(status, _STATUS), **{key: value for key, value in known.items() if value}}


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
class Unmirrored:
    """A pod that is to be mirrored under `name`; `node` stands for it in the origin, None if none does."""

    pod: Object
    name: str
    node: Object | None


@dataclass(frozen=True)
class Changes:
    """What to do: pods to mirror; mirrored pods to change, each with a merge patch, of their metadata or their status;
    mirrored pods to delete; and pods of the target to delete, each with how many seconds it gets."""

    create: Sequence[Unmirrored] = ()
    marks: Sequence[tuple[Object, Object]] = ()
    statuses: Sequence[tuple[Object, Object]] = ()
    delete: Sequence[Object] = ()
    unwanted: Sequence[tuple[Object, int]] = ()


def plan(facts: Facts) -> Changes:
    """The changes that bring the mirrored pods up to date.

    Medea deletes mirrored pods at once, so one that is being deleted was deleted by somebody else, who means the pod
    that it stands for. As for any pod, it stays until that is gone. What the front door's own controllers take away
    nobody has asked for: it is made again. So is what is deleted without grace, forced or because it had finished: the
    apiserver marks that as well, and if it is slow, the mark is seen before it is gone.
    """
    origin = facts.origin
    if origin is None:
        return Changes(delete=facts.mirrored)
    pods = {pod["metadata"]["uid"]: pod for pod in facts.pods}
    shown: dict[str, Object] = {}
    for one in facts.mirrored:
        uid = annotations(one).get(MIRRORED_UID, "")
        if uid in pods and uid not in shown and _is_of(one, origin) and not _is_taken_away(one, pods[uid]):
            shown[uid] = one
    kept = list(shown.values())
    pairs = [(one, pods[uid]) for uid, one in shown.items()]
    unwanted = [
        (pod, grace)
        for one, pod in pairs
        if (grace := _grace(one)) and not is_deletion_ongoing(pod) and not is_deletion_ongoing(origin)
    ]
    missing = [pod for uid, pod in pods.items() if uid not in shown and not is_deletion_ongoing(pod)]
    return Changes(
        create=_named(facts, origin, missing) if missing else [],
        marks=[(one, patch) for one, pod in pairs if (patch := merge_patch(one["metadata"], argo_marks(pod)))],
        statuses=[(one, patch) for one, pod in pairs if (patch := _patch(one, pod))],
        delete=[one for one in facts.mirrored if one not in kept],
        unwanted=unwanted,
    )


def _grace(shown: Object) -> int:
    """The seconds that a mirrored pod has before it goes; 0 if it is not going, or goes at once."""
    return shown["metadata"].get("deletionGracePeriodSeconds") or 0


def _is_of(shown: Object, origin: Object) -> bool:
    """Whether a mirrored pod is where and whose Medea makes it: others can make some up, and have them deleted."""
    owners = [owner.get("uid") for owner in mappings(shown["metadata"].get("ownerReferences"))]
    return shown["metadata"]["namespace"] == origin["metadata"]["namespace"] and owners == [origin["metadata"]["uid"]]


def _is_taken_away(shown: Object, pod: Object) -> bool:
    """Whether the front door itself removes a mirrored pod, such as when its Node was silent for minutes.

    Evictions are people's: somebody drains the Node.
    """
    why = _disruption(shown)
    return why not in (None, _EVICTED, _disruption(pod))


def _disruption(pod: Object) -> str | None:
    """Why a cluster is about to end a pod; None if it is not."""
    found = [one for one in mappings(pod["status"].get("conditions")) if one.get("type") == "DisruptionTarget"]
    return next((str(one.get("reason")) for one in found if one.get("status") == "True"), None)


def _named(facts: Facts, origin: Object, pods: Sequence[Object]) -> list[Unmirrored]:
    """The pods to mirror, but for those whose node the origin does not show yet. Argo's agent stands for no node."""
    nodes, made = nodes_of(origin), []
    for pod in pods:
        own, node_id = str(pod["metadata"]["name"]), annotations(pod).get(ARGO_NODE_ID)
        if facts.run is not None and offloaded(facts.run):
            made.append(Unmirrored(pod, own, None))
        elif node_id is None:
            # With hold `plugin` the origin has an agent of its own at the front door, which mostly has the same name.
            made.append(Unmirrored(pod, GRAFTED + own if _is_stub(origin) else own, None))
        elif node := _node(facts, origin, node_id, nodes):
            made.append(Unmirrored(pod, pod_name(origin, node), node))
    return made


def _node(facts: Facts, origin: Object, node_id: str, nodes: Nodes) -> Object | None:
    """The node of the origin that stands for a node of the run.

    With hold `plugin` the run's nodes are grafted under prefixed ids, beside the stub's own, one of which may have the
    very id of the run's root. With `none` only the run's name is replaced in them, if its origin has another one.
    """
    if _is_stub(origin) or facts.run is None:
        return nodes.get(GRAFTED + node_id)
    return nodes.get(origin["metadata"]["name"] + node_id.removeprefix(facts.run["metadata"]["name"]))


def _is_stub(origin: Object) -> bool:
    return stub_placement(spec_of(origin)) is not None


def _patch(shown: Object, pod: Object) -> Object:
    wanted: Mapping[str, Any] = pod["status"]
    gone = {key: None for key in _STATUS if key in shown["status"] and key not in wanted}
    return merge_patch(shown["status"], {**wanted, **gone})
