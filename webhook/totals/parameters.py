"""The parameters a Workflow runs with: what was submitted, over the WorkflowTemplate's defaults."""

from collections.abc import Mapping
from typing import Any


def effective_parameters(*specs: Mapping[str, Any]) -> dict[str, str | None]:
    """Merge `arguments.parameters` of the given specs, the first spec winning.

    A `value` anywhere beats a `default` anywhere, as in Argo. A parameter without either is there with None.
    """
    values: dict[str, str | None] = {}
    defaults: dict[str, str | None] = {}
    for spec in specs:
        for parameter in _parameters(spec):
            name = parameter["name"]
            values.setdefault(name, None)
            if values[name] is None:
                values[name] = parameter_text(parameter.get("value"))
            if defaults.get(name) is None:
                defaults[name] = parameter_text(parameter.get("default"))
    return {name: value if value is not None else defaults[name] for name, value in values.items()}


def _parameters(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    arguments = spec.get("arguments")
    listed = arguments.get("parameters") if isinstance(arguments, Mapping) else None
    if not isinstance(listed, list):
        return []
    return [entry for entry in listed if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)]


def parameter_text(value: object) -> str | None:
    """A parameter's value as Argo takes it: numbers and booleans are their text, anything else is no value here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None
