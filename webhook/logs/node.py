"""The Node that stands for a target at the front door: it exists so that its pods' logs are asked of Medea. Pure."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.contract import MIRRORED, VIRTUAL
from webhook.model.limits import NODE_LEASE_SECONDS, NODE_STATUS_EVERY
from webhook.model.objects import Object


@dataclass(frozen=True)
class Address:
    """Where the front door's apiserver reaches the port for logs."""

    ip: str
    port: int


def node_name(cluster: str) -> str:
    """The name of a target's Node."""
    return f"medea-{cluster}"


def node_object(cluster: str, address: Address, now: datetime.datetime) -> Object:
    """The Node as it is created. It has no room: even a pod that tolerates everything is not scheduled there."""
    return {
        "metadata": {
            "name": node_name(cluster),
            "labels": {
                MIRRORED: cluster,
                # What manifests of DaemonSets and monitoring exclude by custom, and load balancers by contract.
                "type": "virtual-kubelet",
                "node.kubernetes.io/exclude-from-external-load-balancers": "true",
            },
        },
        "spec": {"unschedulable": True, "taints": [{"key": VIRTUAL, "value": cluster, "effect": "NoSchedule"}]},
        "status": node_status({}, address, now),
    }


def node_status(current: Mapping[str, Any], address: Address, now: datetime.datetime) -> Object:
    """The Node's status, made from the one it has: ready since it was."""
    ready = _ready(current)
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Medea",
        "message": "stands for a target; nothing runs here, but logs can be read",
        "lastHeartbeatTime": timestamp(now),
        "lastTransitionTime": since or timestamp(now),
    }
    return {
        "addresses": [{"type": "InternalIP", "address": address.ip}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": address.port}},
        "conditions": [condition],
    }


def is_stale(status: Mapping[str, Any], address: Address, now: datetime.datetime) -> bool:
    """Whether the Node's status has to be written: it says something wrong, or has said nothing for long."""
    wanted, ready = node_status(status, address, now), _ready(status)
    if any(status.get(key) != wanted[key] for key in ("addresses", "daemonEndpoints")) or ready.get("status") != "True":
        return True
    try:
        beat = datetime.datetime.fromisoformat(str(ready.get("lastHeartbeatTime")))
        return (now - beat).total_seconds() >= NODE_STATUS_EVERY
    except (ValueError, TypeError):
        return True


def lease_spec(cluster: str, now: datetime.datetime) -> Object:
    """The renewed lease that keeps the Node from being taken for lost."""
    return {
        "holderIdentity": node_name(cluster),
        "leaseDurationSeconds": NODE_LEASE_SECONDS,
        "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def timestamp(now: datetime.datetime) -> str:
    """A moment as Kubernetes writes it."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [one for one in status.get("conditions") or [] if one.get("type") == "Ready"]
    return found[0] if found else {}
