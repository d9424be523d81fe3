"""The parameters a Workflow runs with: those submitted, then the WorkflowTemplate's."""

from collections.abc import Mapping
from typing import Any

from webhook.model.objects import mapping, mappings


def effective_parameters(*specs: Mapping[str, Any]) -> dict[str, str | None]:
    """Merge `arguments.parameters` of the given specs; the first spec wins.

    As in Argo, a `value` in any spec beats a `default` in any spec. A parameter with neither has the value None, and so
    has one without a value that is read from somewhere (`valueFrom`).
    """
    values: dict[str, str | None] = {}
    defaults: dict[str, str | None] = {}
    read: set[str] = set()
    for spec in specs:
        for parameter in named(mapping(spec.get("arguments")).get("parameters")):
            name = parameter["name"]
            values.setdefault(name, None)
            if values[name] is None and name not in read:
                values[name] = parameter_text(parameter.get("value"))
                if values[name] is None and parameter.get("valueFrom") is not None:
                    read.add(name)
            if defaults.get(name) is None and name not in read:
                defaults[name] = parameter_text(parameter.get("default"))
    return {name: value if value is not None else defaults.get(name) for name, value in values.items()}


def named(listed: object) -> list[Mapping[str, Any]]:
    """The well-formed parameters of a list; empty if it is no list. Argo refuses malformed ones itself."""
    return [entry for entry in mappings(listed) if isinstance(entry.get("name"), str)]


def parameter_text(value: object) -> str | None:
    """A parameter's value as Argo reads it: numbers and booleans become text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None
