"""Which values are known before a Workflow runs: its parameters, loop items, and inputs of templates."""

import json
import re
from collections.abc import Mapping

from webhook.model.limits.admission import INPUTS_LONGEST
from webhook.model.objects import mapping, mappings
from webhook.totals.items import escaped_by_go, item_text
from webhook.totals.parameters import effective_parameters, parameter_text
from webhook.totals.shape import Spec
from webhook.totals.tags import UNKNOWN, Bindings, filled, tags_in

_ITEM = re.compile(r"\bitem\b")


def value_of(value: object, known: Bindings) -> str | None:
    """A value that may contain tags, as text; None if it can't be known before the Workflow runs."""
    text = parameter_text(value)
    if text is None:
        return None
    made = filled(text, known)
    return None if UNKNOWN in made else made


def workflow_parameters(spec: Spec, template_spec: Spec) -> Bindings:
    """What is known everywhere in a Workflow: its own parameters, then its WorkflowTemplate's."""
    given = effective_parameters(spec, template_spec).items()
    known = {f"workflow.parameters.{name}": text for name, value in given if (text := value_of(value, {})) is not None}
    listed = None if template_spec else _listed(spec)
    return known if listed is None else {"workflow.parameters.json": listed, **known}


def _listed(spec: Spec) -> str | None:
    """All parameters as the JSON that Argo makes of them; None unless each has nothing but a name and a plain value."""
    parameters = mappings(mapping(spec.get("arguments")).get("parameters"))
    values = [parameter_text(one.get("value")) for one in parameters]
    if any(one.keys() != {"name", "value"} for one in parameters) or None in values:
        return None
    every = [{"name": one["name"], "value": value} for one, value in zip(parameters, values, strict=True)]
    text = json.dumps(every, ensure_ascii=False, separators=(",", ":"))
    return None if escaped_by_go(text) or "{{" in text else text


def mentions_item(task: Spec) -> bool:
    """Whether what a task passes on, or whether it runs, depends on the item of its loop."""
    keys = ("arguments", "template", "templateRef", "inline", "hooks", "when")
    return tags_mention_item(json.dumps({key: task[key] for key in keys if key in task}, default=str))


def tags_mention_item(text: str) -> bool:
    """Whether a tag in the text mentions the item of a loop."""
    return any(_ITEM.search(tag) for tag in tags_in(text))


def with_item(known: Bindings, item: object) -> Bindings:
    """What is known inside a loop, for one item."""
    made = dict(known)
    if isinstance(item, Mapping):
        made |= {f"item.{key}": text for key, value in item.items() if (text := item_text(value)) is not None}
    # Of a map Argo sorts the keys, but not those further inside.
    whole = item_text(dict(sorted(item.items())) if isinstance(item, Mapping) else item)
    if whole is not None:
        made["item"] = whole
    return made


def inside(template: Spec, arguments: object, known: Bindings) -> Bindings:
    """What is known inside a template called with these arguments: the Workflow's parameters, and its own inputs.

    Inputs beyond INPUTS_LONGEST characters in total count as unknown: inputs that repeat each other grow exponentially.
    """
    room = INPUTS_LONGEST
    given = {str(one.get("name")): one for one in mappings(mapping(arguments).get("parameters"))}
    made = {name: value for name, value in known.items() if name.startswith("workflow.")}
    for declared in mappings(mapping(template.get("inputs")).get("parameters")):
        name = str(declared.get("name"))
        passed = given.get(name, {})
        if "value" in passed or "valueFrom" in passed:
            value = value_of(passed.get("value"), known)
        else:
            value = value_of(declared.get("value", declared.get("default")), known)
        if value is not None and len(value) <= room:
            made[f"inputs.parameters.{name}"] = value
            room -= len(value)
    return made
