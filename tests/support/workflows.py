"""Specs of Workflows for the tests of totals, as people would write them. Sizes are thousandths of a core."""

import math
from typing import Any

from webhook.totals.budget import Budget
from webhook.totals.model import Defaults
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.shape import Name

Object = dict[str, Any]
AMPLE = Budget(left=lambda: math.inf, heavy=lambda: None)
"""As much time as it takes."""


def pod(name: str, milli: int = 100, **more: Any) -> Object:
    """A template of one container; its memory in MiB is its CPU in thousandths."""
    limits = {"cpu": f"{milli}m", "memory": f"{milli}Mi"}
    return {"name": name, "container": {"image": "x", "resources": {"limits": limits}}, **more}


def dag(*tasks: Object, name: str = "main", **more: Any) -> Object:
    """A DAG template."""
    return {"name": name, "dag": {"tasks": list(tasks)}, **more}


def steps(*groups: list[Object], name: str = "main", **more: Any) -> Object:
    """A steps template."""
    return {"name": name, "steps": list(groups), **more}


def task(name: str, template: str, depends: str = "", **more: Any) -> Object:
    """A task, or a step when it depends on nothing."""
    return {"name": name, "template": template, **({"depends": depends} if depends else {}), **more}


def spec(*templates: Object, **more: Any) -> Object:
    """A Workflow's spec with the entrypoint `main`."""
    return {"entrypoint": "main", "templates": list(templates), **more}


def need(written: Object, library: dict[Name, Object] | None = None, defaults: Defaults | None = None) -> Requirements:
    """What it needs."""
    return requirements_of(written, library or {}, defaults or Defaults(), AMPLE)


def milli(written: Object, library: dict[Name, Object] | None = None) -> int:
    """Its CPU at the peak. Memory goes the same way, as `pod` writes it."""
    totals = need(written, library).totals
    assert totals.memory_bytes == totals.cpu_milli << 20
    return totals.cpu_milli
