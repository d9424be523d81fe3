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
    hard: dict[str, str] | None = None,
    use: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    """A ResourceQuota on `limits.cpu`, and on `limits.memory` if given: hard and used. `used` None: not counted yet.

    Or on any resources: `hard`, and their `use`, of which nothing is used if it is not given.
    """
    if hard is not None:
        seen = {"hard": hard, "used": dict.fromkeys(hard, "0") | (use or {})}
        return {"metadata": _named(name), "spec": {"hard": hard, **spec}, "status": seen}
    hard = {} if cpu is None else {"limits.cpu": cpu}
    hard |= {"limits.memory": memory[0]} if memory else {}
    status: Object = {}
    if used is not None:
        status["hard"] = {**hard, **({"limits.cpu": status_cpu} if status_cpu else {})}
        status["used"] = ({} if cpu is None else {"limits.cpu": used}) | (
            {"limits.memory": memory[1]} if memory else {}
        )
    return {"metadata": _named(name), "spec": {"hard": hard, **spec}, "status": status}


def _named(name: str) -> Object:
    return {"name": name, "namespace": "ns", "uid": name}


def pod(
    name: str,
    cpu: str | None = "1",
    *,
    of: str | None = None,
    driver: str | None = None,
    phase: str = "Running",
    resources: Object | None = None,
    **spec: Any,
) -> Object:
    """A pod with one container; `of` names the Workflow that controls it, `driver` the uid of the pod that does.

    `resources` are its container's, the `cpu` limit alone if None.
    """
    owners = [{"kind": "Workflow", "name": of, "uid": f"uid-{of}", "controller": True}] if of else []
    owners += [{"kind": "Pod", "name": driver, "uid": driver, "controller": True}] if driver else []
    sizes = resources or {"limits": {} if cpu is None else {"cpu": cpu}}
    return {
        "metadata": {"name": name, "namespace": "ns", "uid": name, "ownerReferences": owners},
        "spec": {"containers": [{"name": "main", "image": "i", "resources": sizes}], **spec},
        "status": {"phase": phase},
    }


def limit_range(name: str = "l", **default: str) -> Object:
    """A LimitRange that gives these limits to containers without any."""
    limits = [{"type": "Pod", "max": {"cpu": "99"}}, {"type": "Container", "default": default}]
    return {"metadata": {"name": name, "namespace": "ns", "uid": name}, "spec": {"limits": limits}}
