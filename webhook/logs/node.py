"""The virtual Node of a target: it makes the front door's apiserver ask Medea for its pods' logs. Pure."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.contract import MIRRORED, VIRTUAL
from webhook.model.limits.logs import NODE_LEASE_SECONDS, NODE_STATUS_EVERY
from webhook.model.moments import moment_of, written, written_finely
from webhook.model.objects import Object


@dataclass(frozen=True)
class Address:
    """Where the front door's apiserver reaches Medea's port for logs."""

    ip: str
    port: int


def node_name(cluster: str) -> str:
    """The name of a target's virtual Node."""
    return f"medea-{cluster}"


def node_object(cluster: str, address: Address, now: datetime.datetime) -> Object:
    """The Node to create. It has no capacity, so that not even pods that tolerate every taint are scheduled there."""
    return {
        "metadata": {
            "name": node_name(cluster),
            "labels": {
                MIRRORED: cluster,
                # Many DaemonSets and monitoring manifests exclude the first label, and load balancers the second.
                "type": "virtual-kubelet",
                "node.kubernetes.io/exclude-from-external-load-balancers": "true",
            },
        },
        "spec": {"unschedulable": True, "taints": [{"key": VIRTUAL, "value": cluster, "effect": "NoSchedule"}]},
        "status": node_status({}, address, now),
    }


def node_status(current: Mapping[str, Any], address: Address, now: datetime.datetime) -> Object:
    """The Node's wanted status. It keeps from `current` since when the Node is ready."""
    ready = _ready(current)
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Medea",
        "message": "stands for a target; nothing runs here, but logs can be read and pods be entered",
        "lastHeartbeatTime": written(now),
        "lastTransitionTime": since or written(now),
    }
    return {
        "addresses": [{"type": "InternalIP", "address": address.ip}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": address.port}},
        "conditions": [condition],
    }


def is_stale(status: Mapping[str, Any], address: Address, now: datetime.datetime) -> bool:
    """Whether the Node's status must be written, because it is wrong or has not been written for long."""
    wanted, ready = node_status(status, address, now), _ready(status)
    if any(status.get(key) != wanted[key] for key in ("addresses", "daemonEndpoints")) or ready.get("status") != "True":
        return True
    beat = moment_of(ready.get("lastHeartbeatTime"))
    return beat is None or (now - beat).total_seconds() >= NODE_STATUS_EVERY


def lease_spec(cluster: str, now: datetime.datetime) -> Object:
    """The renewed lease, without which the Node would count as lost."""
    return {
        "holderIdentity": node_name(cluster),
        "leaseDurationSeconds": NODE_LEASE_SECONDS,
        "renewTime": written_finely(now),
    }


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [one for one in status.get("conditions") or [] if one.get("type") == "Ready"]
    return found[0] if found else {}
