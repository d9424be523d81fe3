"""Workflows that are fan-outs, for tests."""

from typing import Any

Object = dict[str, Any]
PARAMETER = "{{steps.work.outputs.parameters.answer}}"


def steps(*, outputs: Object | None = None, **loop: Any) -> Object:
    """A spec whose entrypoint is one step with this loop."""
    step = {
        "name": "work",
        "template": "one",
        "arguments": {"parameters": [{"name": "n", "value": "{{item}}"}]},
        **loop,
    }
    main = {"name": "main", "steps": [[step]], **({"outputs": outputs} if outputs else {})}
    return {"entrypoint": "main", "templates": [main, leaf()]}


def dag(**loop: Any) -> Object:
    """A spec whose entrypoint is a dag with one task."""
    task = {"name": "work", "template": "one", **loop}
    return {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": [task]}}, leaf()]}


def leaf() -> Object:
    """What each item runs."""
    limits = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    return {"name": "one", "inputs": {"parameters": [{"name": "n"}]}, "container": {"image": "x", **limits}}


def with_parameter(spec: Object, name: str, value: str) -> Object:
    """The spec with a parameter."""
    return {**spec, "arguments": {"parameters": [{"name": name, "value": value}]}}


def item_nodes(workflow: str, items: dict[int, str], *, dag: bool = False, of: str = "work") -> dict[str, Object]:
    """Nodes of items that have succeeded, each with an output and a result."""
    begin = f"{workflow}.{of}(" if dag else f"{workflow}[0].{of}("
    return {
        f"{workflow}-{position}": {
            "name": f"{begin}{position}:x)",
            "displayName": f"{of}({position}:x)",
            "type": "Pod",
            "phase": "Succeeded",
            "outputs": {"parameters": [{"name": "answer", "value": value}], "result": value},
        }
        for position, value in items.items()
    }
