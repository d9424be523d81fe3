"""Writes docs/reference.md from the source: every setting, and every metric. `make docs` runs it."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY
from pydantic.fields import FieldInfo

import webhook
from webhook.settings import Settings

PAGE = Path(__file__).parents[2] / "docs/reference.md"

_HEAD = """# Reference

Made from the source by `make docs`; a test compares. Annotations and labels are explained in [using.md](using.md), the
API in [api.md](api.md).

## Settings

From the environment, read once at the start. The names without `MEDEA_` are the original Medea's.
"""
_METRICS = """
## Metrics

Each process serves its own as plain HTTP, at `/metrics` of its port for metrics, and shows what it has to do with.
"""


def reference() -> str:
    """The whole page."""
    settings = _table(("setting", "default", "what"), map(_setting, *zip(*Settings.model_fields.items(), strict=True)))
    return _HEAD + "\n" + settings + _METRICS + "\n" + _table(("metric", "kind", "labels", "what"), _metrics())


def _setting(name: str, field: FieldInfo) -> tuple[str, ...]:
    default = f"{field.default:g}" if isinstance(field.default, float) else field.default
    return f"`{name.upper()}`", "unset" if default is None else f"`{default}`", field.description or ""


def _metrics() -> list[tuple[str, ...]]:
    """Of all modules of Medea. The registry keeps the labels' names to itself until there is a value."""
    for module in pkgutil.walk_packages(webhook.__path__, "webhook."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    collectors: set[Any] = set(REGISTRY._collector_to_names)
    own = [one for one in collectors if getattr(one, "_name", "").startswith("medea_")]
    return sorted(_metric(one) for one in own)


def _metric(collector: Any) -> tuple[str, ...]:
    suffix = {"counter": "_total", "info": "_info"}.get(collector._type, "")
    labels = ", ".join(f"`{label}`" for label in collector._labelnames)
    return f"`{collector._name}{suffix}`", collector._type, labels, collector._documentation


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(reference())
