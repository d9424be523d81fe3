"""Specs and pools for tests of node placement."""

from typing import Any

from webhook.nodes.pools import Pool, Taint
from webhook.totals.model import GIB


def pool(name: str, cpu: float, gib: float, *taints: Taint, **devices: int) -> Pool:
    """A pool of nodes labelled `pool=NAME`; `gpu=1` stands for `nvidia.com/gpu`."""
    sizes = {"cpu": round(cpu * 1000), "memory": round(gib * GIB)}
    return Pool((("pool", name),), sizes | {f"nvidia.com/{key}": number for key, number in devices.items()}, taints)


SMALL, LARGE = pool("small", 2, 8), pool("large", 16, 64)
GPU = pool("gpu", 8, 32, Taint("nvidia.com/gpu", "present"), gpu=2)
POOLS = (LARGE, GPU, SMALL)


def template(name: str, **resources: Any) -> dict[str, Any]:
    """A template with a container; `limits` and `requests`."""
    return {"name": name, "container": {"image": "busybox", "resources": resources}}


def spec(*templates: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A spec that runs the first of these."""
    return {"entrypoint": templates[0]["name"], "templates": list(templates), **more}
