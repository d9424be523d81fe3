"""What Argo's UI and argo-server look up of the templates of a run's nodes, where the origin's spec is a stub. Pure.

The stub has none of them. They are in `status.storedTemplates`, where Argo keeps those of other WorkflowTemplates, and
the nodes say below which scope.
"""

import json
from collections.abc import Mapping
from typing import Any

from webhook.controller.template_names import scope_of
from webhook.model.contract import GRAFTED
from webhook.model.limits.model import LONGEST_TEMPLATES
from webhook.model.nodes import Nodes, nodes_of
from webhook.model.objects import Object, mapping, mappings, spec_of, status_of
from webhook.totals.shape import Name, text

# No WorkflowTemplate of the front door is meant: it may have another one of that name, or none.
_OWN = f"namespaced/{GRAFTED.rstrip('-')}"
# A controller at the front door looks here for artifacts to collect.
_LEFT_OUT = ("outputs",)


def shown_template(node: Mapping[str, Any]) -> dict[str, str]:
    """The template of a run's node as its grafted one names it; empty for a node without one."""
    place, name = _place(node)
    if not name:
        return {}
    kind, _, of = place.partition("/")
    return {"templateName": name, "templateScope": f"{kind}/{GRAFTED}{of}" if of else _OWN}


def stored_as(grafted: Mapping[str, Any]) -> str:
    """Where the template of a grafted node is looked up; empty for a node without one."""
    name, scope = text(grafted.get("templateName")), text(grafted.get("templateScope"))
    if not name:
        return ""
    # Nodes in the ledger that were grafted by an earlier Medea have no scope.
    return f"{scope}/{name}" if scope else f"{GRAFTED}{name}"


def stored_templates(run: Mapping[str, Any], grafted: Nodes, known: Mapping[str, Any]) -> Object:
    """The templates of the nodes grafted from a run, by where they are looked up, without those that are `known` there.

    Of those that are too large for the origin there is the name alone, as argo-server needs it to find artifacts.
    """
    missing = {stored_as(node) for node in grafted.values()} - known.keys() - {""}
    if not missing:
        return {}
    nodes = {stored_as(shown_template(node)): node for node in nodes_of(run).values()}
    room = LONGEST_TEMPLATES - len(json.dumps(known))
    stored: Object = {}
    for key in sorted(missing & nodes.keys()):
        template = _template(run, nodes[key])
        size = len(json.dumps(template))
        stored[key] = template if size <= room else {"name": template["name"]}
        room -= size if size <= room else 0
    return stored


def _place(node: Mapping[str, Any]) -> tuple[str, str]:
    """Where the target's Argo finds the template of a node, if not in the Workflow itself, and the template's name."""
    reference = mapping(node.get("templateRef"))
    if reference:
        of = Name(text(reference.get("name")) or "", bool(reference.get("clusterScope")))
        return scope_of(of), text(reference.get("template")) or ""
    scope = text(node.get("templateScope")) or ""
    return ("" if scope.startswith("local/") else scope), text(node.get("templateName")) or ""


def _template(run: Mapping[str, Any], node: Mapping[str, Any]) -> Object:
    place, name = _place(node)
    status = status_of(run)
    own = [
        *mappings(spec_of(run).get("templates")),
        *mappings(mapping(status.get("storedWorkflowTemplateSpec")).get("templates")),
    ]
    if place:
        found = mapping(mapping(status.get("storedTemplates")).get(f"{place}/{name}"))
    else:
        found = next((one for one in own if one.get("name") == name), {})
    return {**{key: value for key, value in found.items() if key not in _LEFT_OUT}, "name": name}
