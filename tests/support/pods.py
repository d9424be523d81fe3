"""Pods, origins and runs to decide about."""

from typing import Any

from webhook.logs.pods import Facts, plan, slim, status_of
from webhook.logs.shape import mirrored_pods

Object = dict[str, Any]


def pod(uid: str = "u1", *, phase: str = "Running", node: str = "job-1", **status: Any) -> Object:
    """A pod of the run `job` on the target, as its apiserver shows it."""
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    main = {
        "name": "main",
        "state": state,
        "ready": True,
        "restartCount": 0,
        "image": "i",
        "imageID": "",
        "resources": {},
    }
    return {
        "metadata": {
            "name": f"job-main-{uid}",
            "namespace": "ns",
            "uid": uid,
            "labels": {
                "workflows.argoproj.io/workflow": "job",
                "workflows.argoproj.io/completed": "false",
                "app": "spark",
                "medea.dev/placement": "forged",
            },
            "annotations": {"workflows.argoproj.io/node-id": node, "workflows.argoproj.io/node-name": "job.main"},
            "managedFields": [{}],
        },
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "i",
                    "args": ["a"],
                    "env": [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                    "ports": [{"containerPort": 80, "hostPort": 80}],
                    "resources": {"limits": {"cpu": "4"}},
                    "securityContext": {"privileged": True},
                }
            ],
            "initContainers": [{"name": "init", "image": "a", "volumeMounts": []}],
            "restartPolicy": "Never",
            "volumes": [{"name": "v", "secret": {"secretName": "s"}}, {"name": "h", "hostPath": {"path": "/"}}],
            "serviceAccountName": "argo",
        },
        "status": {"phase": phase, "podIP": "10.0.0.2", "containerStatuses": [main], **status},
    }


def node(node_id: str = "medea-job-1", **fields: Any) -> Object:
    """The node of that pod as the origin shows it, with the plugin hold."""
    return {"id": node_id, "name": "job.west.main", "templateName": "main", "type": "Pod", **fields}


def origin(*nodes: Object, **annotations: str) -> Object:
    """An origin, with hold `plugin`, that shows these nodes."""
    templates = [{"name": "placement", "plugin": {"medea": {"track": {"placement": "p1"}}}}]
    return {**whole(*nodes, **annotations), "spec": {"entrypoint": "medea", "templates": templates}}


def whole(*nodes: Object, **annotations: str) -> Object:
    """An origin with hold `none` that shows these nodes."""
    metadata = {"name": "job", "namespace": "ns", "uid": "o1", "annotations": annotations}
    return {"metadata": metadata, "status": {"nodes": {one["id"]: one for one in nodes}}}


def facts(*pods: Object, shown: list[Object] | None = None, **changes: Any) -> Facts:
    """What is known of the placement `p1` on west, where its origin shows the node of its pod."""
    known = {
        "placement": "p1",
        "cluster": "west",
        "origin": origin(node()),
        "run": {"metadata": {"name": "job", "namespace": "ns"}},
        "pods": [slim(one) for one in pods],
        "mirrored": [slim(one) for one in shown or []],
        **changes,
    }
    return Facts(**known)


def mirrored(pod: Object, uid: str = "m1", **metadata: Any) -> Object:
    """The pod as the front door mirrors it, once it has been made."""
    known = facts(pod)
    [missing] = plan(known).create
    body, _ = mirrored_pods(
        pod,
        name=missing.name,
        node=missing.node,
        origin=known.origin or {},
        cluster=known.cluster,
        placement=known.placement,
    )
    status = {"qosClass": "BestEffort", **status_of(pod)}
    return {**body, "metadata": {**body["metadata"], "uid": uid, **metadata}, "status": status}
