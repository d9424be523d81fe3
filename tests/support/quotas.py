"""Quotas, pods and LimitRanges as a target's apiserver shows them."""

from typing import Any

Object = dict[str, Any]


def quota(
    cpu: str | None = "10",
    used: str | None = "0",
    *,
    name: str = "q",
    memory: tuple[str, str] | None = None,
    status_cpu: str | None = None,
    **spec: Any,
) -> Object:
    """A ResourceQuota on `limits.cpu`, and on `limits.memory` if given: hard and used. `used` None: not counted yet."""
    hard = {} if cpu is None else {"limits.cpu": cpu}
    hard |= {"limits.memory": memory[0]} if memory else {}
    status: Object = {}
    if used is not None:
        status["hard"] = {**hard, **({"limits.cpu": status_cpu} if status_cpu else {})}
        status["used"] = ({} if cpu is None else {"limits.cpu": used}) | (
            {"limits.memory": memory[1]} if memory else {}
        )
    metadata = {"name": name, "namespace": "ns", "uid": name}
    return {"metadata": metadata, "spec": {"hard": hard, **spec}, "status": status}


def pod(
    name: str,
    cpu: str | None = "1",
    *,
    of: str | None = None,
    driver: str | None = None,
    phase: str = "Running",
    **spec: Any,
) -> Object:
    """A pod with one container; `of` names the Workflow that controls it, `driver` the uid of the pod that does."""
    owners = [{"kind": "Workflow", "name": of, "uid": f"uid-{of}", "controller": True}] if of else []
    owners += [{"kind": "Pod", "name": driver, "uid": driver, "controller": True}] if driver else []
    limits = {} if cpu is None else {"cpu": cpu}
    return {
        "metadata": {"name": name, "namespace": "ns", "uid": name, "ownerReferences": owners},
        "spec": {"containers": [{"name": "main", "image": "i", "resources": {"limits": limits}}], **spec},
        "status": {"phase": phase},
    }


def limit_range(name: str = "l", **default: str) -> Object:
    """A LimitRange that gives these limits to containers without any."""
    limits = [{"type": "Pod", "max": {"cpu": "99"}}, {"type": "Container", "default": default}]
    return {"metadata": {"name": name, "namespace": "ns", "uid": name}, "spec": {"limits": limits}}
