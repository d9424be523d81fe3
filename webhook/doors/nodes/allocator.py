"""The node allocator's own question and answer: containers by name, and a selector for each. Pure."""

from typing import Any

from webhook.errors import BadRequest, wrong_field
from webhook.kube.resources import WORKFLOWS
from webhook.model.json_input import check_storable
from webhook.model.objects import Object
from webhook.nodes.choose import Choice

_STEPS = "medea-steps"


def is_allocators(found: Any) -> bool:
    """Whether it is such a question, and no Workflow."""
    return isinstance(found, dict) and "containers" in found and "kind" not in found


def workflow_of(asked: Object) -> Object:
    """A Workflow of these containers, one after the other, since nothing is said of their order. Raises BadRequest."""
    check_storable(BadRequest, "the message", asked)
    containers = asked["containers"]
    if not isinstance(containers, list):
        raise wrong_field(BadRequest, "containers", containers, "it must be a list")
    templates = [_template(number, one) for number, one in enumerate(containers)]
    calls = [[{"name": f"step-{number}", "template": one["name"]}] for number, one in enumerate(templates)]
    return {
        "apiVersion": WORKFLOWS.api_version,
        "kind": WORKFLOWS.kind,
        "metadata": {"generateName": "allocated-"},
        "spec": {"entrypoint": _STEPS, "templates": [*templates, {"name": _STEPS, "steps": calls}]},
    }


def answer_of(asked: Object, choice: Choice) -> Object:
    """The question with the chosen selectors; an empty one for what asks for nothing."""
    chosen = {path[1]: pool.labels for path, pool in choice.pools.items()}
    containers = [{**one, "nodeSelector": chosen.get(number, {})} for number, one in enumerate(asked["containers"])]
    return {"hash": asked["hash"], "containers": containers}


def _template(number: int, container: Any) -> Object:
    field = f"containers[{number}]"
    if not isinstance(container, dict):
        raise wrong_field(BadRequest, field, container, "it must be an object")
    name = container.get("name")
    if not isinstance(name, str) or not name:
        raise wrong_field(BadRequest, f"{field}.name", name, "it must be the name of a template")
    sizes = {}
    for kind in ("limits", "requests"):
        size = container.get(kind)
        if size is not None and not isinstance(size, dict):
            raise wrong_field(BadRequest, f"{field}.{kind}", size, "it must be amounts by resource")
        # The original's Go code sends null where nothing was said.
        sizes[kind] = size or {}
    return {"name": name, "container": {"image": str(container.get("image") or "none"), "resources": sizes}}
