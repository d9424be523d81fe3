"""The names of WorkflowTemplates on both sides: a run uses copies, and its origin shows the names that its user knows.

The run says in an annotation what its copies are of. Pure.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from webhook.errors import Rejected
from webhook.model.bounded_json import read_json
from webhook.model.contract import COPIES
from webhook.model.nodes import Nodes, nodes_of
from webhook.model.objects import Object, annotations, mapping, mappings, status_of
from webhook.model.template_versions import Copy, rewritten
from webhook.totals.shape import Name

_CLUSTER_KIND = "ClusterWorkflowTemplate"
_SCOPES = {False: "namespaced", True: "cluster"}
"""How Argo writes where a template is looked up, before a slash and its name."""

Renamed = Mapping[Name, Name]


def copy_of(name: Name) -> str:
    """Which template a copy is of, as it is written on copies and runs."""
    return f"{_CLUSTER_KIND if name.cluster else 'WorkflowTemplate'}/{name.name}"


def with_note(workflow: Object, made: Iterable[Copy]) -> Object:
    """The Workflow with a note of its copies, and in the nodes that it takes over, these copies' names."""
    metadata = mapping(workflow.get("metadata"))
    note = json.dumps({one.name: copy_of(one.of) for one in made}, sort_keys=True)
    marked = {**workflow, "metadata": {**metadata, "annotations": {**annotations(workflow), COPIES: note}}}
    nodes = nodes_of(workflow)
    if not nodes:
        return marked
    renamed = {one.of: Name(one.name) for one in made}
    return {**marked, "status": {**status_of(workflow), "nodes": renamed_nodes(nodes, renamed)}}


def own_names(run: Mapping[str, Any]) -> dict[Name, Name]:
    """For each copy that a run uses, the template that it is a copy of; empty for a run of an earlier Medea."""
    try:
        noted = mapping(read_json(annotations(run).get(COPIES, "{}").encode()))
    except ValueError:
        return {}
    split = {name: of.partition("/") for name, of in noted.items() if isinstance(of, str)}
    return {Name(name): Name(of, kind == _CLUSTER_KIND) for name, (kind, _, of) in split.items() if of}


def in_own_words(text: str, renamed: Renamed) -> str:
    """What Argo says, with the names of the templates instead of those of their copies.

    A copy of a ClusterWorkflowTemplate is a WorkflowTemplate: where Argo names the kind, it becomes the user's.
    """
    own = {old.name: new for old, new in renamed.items() if old.name in text}
    if not own:
        return text
    names = "|".join(re.escape(name) for name in sorted(own, key=len, reverse=True))
    in_cluster = "|".join(re.escape(name) for name, new in own.items() if new.cluster)
    if in_cluster:
        of_kind = rf'malformed workflow template "[^"/]*/({in_cluster})"'
        text = re.sub(of_kind, lambda found: f'malformed cluster workflow template "{own[found[1]].name}"', text)
    return re.sub(names, lambda found: own[found[0]].name, text)


def renamed_said(thing: Mapping[str, Any], renamed: Renamed) -> Object:
    """What changes in a status, node or condition because of its message; empty if that names no copy."""
    message = thing.get("message")
    return {"message": in_own_words(message, renamed)} if isinstance(message, str) else {}


def renamed_nodes(nodes: Nodes, renamed: Renamed) -> Nodes:
    """The nodes with other names of the templates that they ran."""
    scopes = {scope_of(old): scope_of(new) for old, new in renamed.items()}
    return {node_id: _node(node, renamed, scopes) for node_id, node in nodes.items()}


def renamed_rest(status: Mapping[str, Any], renamed: Renamed) -> Object:
    """What changes in a status besides its nodes: what it says, and the templates that Argo keeps there."""
    changed: Object = renamed_said(status, renamed)
    if conditions := mappings(status.get("conditions")):
        changed["conditions"] = [{**one, **renamed_said(one, renamed)} for one in conditions]
    if spec := mapping(status.get("storedWorkflowTemplateSpec")):
        changed["storedWorkflowTemplateSpec"] = _spec(spec, renamed)
    if stored := mapping(status.get("storedTemplates")):
        scopes = {scope_of(old): scope_of(new) for old, new in renamed.items()}
        changed["storedTemplates"] = {
            _key(key, scopes): _template(template, renamed) for key, template in stored.items()
        }
    return changed


def _node(node: Object, renamed: Renamed, scopes: Mapping[str, str]) -> Object:
    changed: Object = renamed_said(node, renamed)
    if isinstance(node.get("templateScope"), str):
        changed["templateScope"] = scopes.get(node["templateScope"], node["templateScope"])
    place = mapping(node.get("templateRef"))
    new = renamed.get(Name(str(place.get("name")), place.get("clusterScope") is True))
    if new is not None:
        kept = {key: value for key, value in place.items() if key != "clusterScope"}
        changed["templateRef"] = {**kept, "name": new.name, **({"clusterScope": True} if new.cluster else {})}
    return {**node, **changed}


def _spec(spec: Object, renamed: Renamed) -> Object:
    try:
        return rewritten(spec, renamed)
    except Rejected:
        return spec


def _template(template: Any, renamed: Renamed) -> Any:
    return _spec({"templates": [template]}, renamed)["templates"][0]


def _key(key: str, scopes: Mapping[str, str]) -> str:
    """Argo's key of a stored template: the scope, the name of the WorkflowTemplate, and the template's own."""
    scope, _, rest = key.partition("/")
    name, slash, template = rest.partition("/")
    return f"{scopes.get(f'{scope}/{name}', f'{scope}/{name}')}{slash}{template}"


def scope_of(name: Name) -> str:
    """Where Argo looks a template up, as nodes and stored templates say it."""
    return f"{_SCOPES[name.cluster]}/{name.name}"
