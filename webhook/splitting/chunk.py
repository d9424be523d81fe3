"""The Workflow of a chunk: its origin's own spec, with a slice of the items. Pure."""

import copy
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.contract import ARGO_COMPLETED, ARGO_PHASE, CHUNK, CLUSTERS, FIT, MAKES, POLICY, PREFIX, SPLIT_OF
from webhook.model.limits.splitting import LONGEST_CHUNK_NAME
from webhook.model.objects import Object, annotations, labels, mapping, mappings
from webhook.model.subworkflows import marked
from webhook.splitting.cut import Span, positions_of
from webhook.splitting.items import LOOPS
from webhook.splitting.shape import Fanout

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SET_BY_USERS = frozenset({CLUSTERS, FIT, MAKES, POLICY})
_PARAMETER = re.compile(r"\{\{\s*workflow\.parameters\.(?P<name>[-\w]+)\s*\}\}")
_MENTIONED = re.compile(r"workflow\.parameters(?:\.(?P<name>[-\w]+))?")
# What belongs to the whole: its end is the origin's, and chunks stay as long as it does.
_OF_THE_WHOLE = ("ttlStrategy", "suspend", "shutdown")


@dataclass(frozen=True)
class Whole:
    """The origin that a chunk is a part of."""

    placement: str
    name: str
    uid: str


def chunk_name(origin: str, placement: str, number: int) -> str:
    """The name of a chunk's Workflow: of this very origin, and not of another that had its name before."""
    end = f"-{placement[:8]}-{number}"
    return origin[: LONGEST_CHUNK_NAME - len(end)].rstrip("-.") + end


def chunk_workflow(
    original: Object,
    fanout: Fanout,
    spans: list[Span],
    *,
    name: str,
    number: int,
    whole: Whole,
    only: Collection[str] | None,
) -> Object:
    """What is submitted at the front door for a chunk. `only` are the targets it may go to; None for all.

    It has the origin's own labels and annotations, and belongs to it: both are deleted together.
    """
    given = labels(original)
    own_labels = {key: value for key, value in given.items() if key not in (ARGO_COMPLETED, ARGO_PHASE, SPLIT_OF)}
    notes = {key: value for key, value in annotations(original).items() if _stays(key)}
    if only is not None:
        notes[CLUSTERS] = ",".join(sorted(only))
    metadata = {
        "labels": {**own_labels, SPLIT_OF: whole.placement},
        "annotations": {**notes, CHUNK: str(number)},
    }
    spec = sliced(mapping(original.get("spec")), fanout, [fanout.items[one] for one in positions_of(spans)])
    return {"metadata": marked(metadata, name=name, parent=whole.name, parent_uid=whole.uid), "spec": spec}


def sliced(spec: Mapping[str, Any], fanout: Fanout, items: list[Any]) -> Object:
    """The spec with these items instead of all. Without outputs of the entrypoint: those of a slice mean nothing."""
    made = copy.deepcopy({key: value for key, value in spec.items() if key not in _OF_THE_WHOLE})
    listed = _list_parameter(spec, fanout)
    for parameter in mappings(mapping(made.get("arguments")).get("parameters")):
        if listed is not None and parameter.get("name") == listed:
            parameter["value"] = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    for template in mappings(made.get("templates")):
        if template.get("name") == fanout.entrypoint:
            template.pop("outputs", None)
            _put_items(template, items)
    return made


def _list_parameter(spec: Mapping[str, Any], fanout: Fanout) -> str | None:
    """The parameter that has all items, if nothing else can mention it: a large one would be in every chunk."""
    templates = [one for one in mappings(spec.get("templates")) if one.get("name") == fanout.entrypoint]
    found = [_PARAMETER.fullmatch(str(step.get("withParam")).strip()) for one in templates for step in _steps(one)]
    if len(found) != 1 or found[0] is None:
        return None
    name = found[0]["name"]
    text = json.dumps({key: value for key, value in spec.items() if key != "arguments"}, default=str)
    mentioned = [match["name"] for match in _MENTIONED.finditer(text)]
    hidden = "templateRef" in text or "{{=" in text or None in mentioned or "json" in mentioned
    return None if hidden or mentioned.count(name) != 1 else name


def _put_items(template: Object, items: list[Any]) -> None:
    for step in _steps(template):
        for loop in LOOPS:
            step.pop(loop, None)
        step["withItems"] = items


def _steps(template: Object) -> list[Object]:
    if "dag" in template:
        return mappings(template["dag"].get("tasks"))
    return [one for group in template["steps"] for one in (group if isinstance(group, list) else [group])]


def _stays(key: str) -> bool:
    """Whether an annotation of the origin counts for its chunks: Medea's own only if users may set it."""
    return key in _SET_BY_USERS or not (key == _LAST_APPLIED or key.startswith(PREFIX))
