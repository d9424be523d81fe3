"""Answers as Argo's UI shows them, without what is never the same twice, and how two of them differ."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.end_to_end.objects import Object
from webhook.logs.names import pod_name
from webhook.model.contract import GRAFTED

# What Medea does otherwise on purpose, with either hold: these are left out of both answers.
DELIBERATE = {
    r"metadata\.annotations\.medea\.dev/.*": "what Medea says: where it runs, and why",
    r"metadata\.finalizers.*": "the origin goes after its run",
    r"metadata\.managedFields.*": "who wrote which field; nothing shows it",
    r"status\.taskResultsCompletionStatus.*": "a note of Argo's controller to itself; nothing shows it",
}
WITH_A_STUB = {
    r"spec\.(?!suspend|arguments).*": "the origin's spec is a stub: Medea's ledger keeps the user's",
    r"status\.storedTemplates.*": "where the templates of the run's nodes are, which the stub has not",
    r"status\.storedWorkflowTemplateSpec.*": "the stub refers to no template",
    r"status\.nodes\..*\.template(Scope|Ref\..*)": "which name that place",
    r"status\.nodes\..*\.template\.outputs.*": "Argo's controller at the front door would collect artifacts by them",
    r"status\.nodes\..*\.startedAt of what runs": "Argo's controller at the front door would miss its pod",
    r"status\.nodes\..*\.taskResultSynced": "a note of Argo's controller to itself; nothing shows it",
    r"status\.nodes\.[^.[]*\.displayName": "the tree's root has the target's name",
    r"status\.conditions\.PodRunning": "Argo forgets to say that no pod runs, when a Workflow is stopped",
}
"""Likewise, with the hold plugin. Its tree is another one, too: see `_without_stub`."""

# Argo writes it unless it has to postpone the Workflow first, which is chance on either side.
_MAY_BE_MISSING = re.compile(r"(.*\.)?metadata\.annotations\.workflows\.argoproj\.io/pod-name-format")
_SAME = {
    "uid": "UID",
    "resourceVersion": "VERSION",
    "generation": "NUMBER",
    "podIP": "ADDRESS",
    "estimatedDuration": "SECONDS",
    "cpu": "SECONDS",
    "memory": "SECONDS",
}
"""What differs from one run to the next, by its key."""
# A run refers to copies of its templates.
_COPY = re.compile(r"-[0-9a-f]{20}(?![0-9a-f])")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Names:
    """What the Workflows of one visit are called there, and what we call them: the same for all visits."""

    def __init__(self, namespace: str, *, stub: bool) -> None:
        self._stub = stub
        self._ours = {namespace: "NAMESPACE"}
        self._nodes: dict[str, str] = {}
        self._pods: dict[str, str] = {}

    def call(self, name: str, ours: str) -> str:
        """From now on a Workflow of this name is called so."""
        self._ours[name] = f"THE-{ours.upper().replace(' ', '-')}"
        return name

    def workflow(self, shown: Object) -> Object:
        """A Workflow, with nodes known by their names, and each with the template that the UI shows of it."""
        nodes = {key: node | _of_template(shown, node) for key, node in _nodes(shown).items()}
        shown = _with_conditions_by_type({**shown, "status": {**shown.get("status", {}), "nodes": nodes}})
        shown = _without_stub(shown) if self._stub else shown
        name = shown["metadata"]["name"]
        self._nodes |= {key: node["name"] for key, node in _nodes(shown).items() if key != name}
        kept: Object = self.words(shown)
        return kept

    def pods_of(self, shown: Object) -> dict[str, str]:
        """The pods of a Workflow as the UI computes their names, by the display names of their nodes."""
        found = {node["displayName"]: pod_name(shown, node) for node in _nodes(shown).values() if node["type"] == "Pod"}
        self._pods |= {pod: f"pod of {node}" for node, pod in found.items()}
        return found

    def lines(self, brought: list[Object]) -> list[str]:
        """The lines of a log, each with its pod."""
        found: list[str] = self.words(
            [f"{self._pods.get(one['podName'], 'another pod')}: {one['content']}" for one in brought]
        )
        return found

    def words(self, value: Any) -> Any:
        """Anything else, with our names."""
        text = json.dumps(value)
        for known in (self._nodes, self._ours):
            for name, ours in sorted(known.items(), key=lambda one: -len(one[0])):
                # Of an origin's own ids some are in messages: a memoized node names the one that it is a copy of.
                text = text.replace(f"{GRAFTED}{name}", ours).replace(name, ours)
        return _same(json.loads(_COPY.sub("", _TIME.sub("TIME", text))))


def differences(here: Any, there: Any, *, stub: bool) -> list[str]:
    """Where two answers differ, but for what is meant to, one line for each place."""
    ignored = re.compile("|".join(f"(.*\\.)?{one}" for one in {**DELIBERATE, **(WITH_A_STUB if stub else {})}))
    left, right = ({at: one for at, one in _places(value) if not ignored.fullmatch(at)} for value in (here, there))
    return [
        f"{at}: {left.get(at, 'nothing')!r} at the front door, {right.get(at, 'nothing')!r} on a plain cluster"
        for at in sorted(left.keys() | right.keys())
        if left.get(at) != right.get(at)
        and not (_MAY_BE_MISSING.fullmatch(at) and None in (left.get(at), right.get(at)))
    ]


def _places(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path. Null, empty and absent are one to the UI."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _places(inner, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, f"{at}.{number}")
    elif value not in (None, ""):
        yield at, value


def _same(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _SAME[key] if _is_passing(key, one) else _same(one) for key, one in value.items()}
    return [_same(one) for one in value] if isinstance(value, list) else value


def _is_passing(key: str, value: Any) -> bool:
    # Limits of cpu and memory are texts, and stay; of their use it is chance, too, whether it is a second yet.
    if isinstance(value, int):
        return key in _SAME and (value != 0 or key in ("cpu", "memory"))
    return key in ("uid", "resourceVersion", "podIP") and bool(value)


def _nodes(shown: Object) -> Object:
    found: Object = (shown.get("status") or {}).get("nodes") or {}
    return found


def _of_template(shown: Object, node: Object) -> Object:
    """The name of a node's template, and what the UI finds for it (its `shared/template-resolution.ts`)."""
    status, reference = shown.get("status") or {}, node.get("templateRef") or {}
    kind, _, of = str(node.get("templateScope") or "local/").partition("/")
    name = node.get("templateName") or reference.get("template") or ""
    if reference:
        kind, of = "cluster" if reference.get("clusterScope") else "namespaced", reference["name"]
    if kind == "local":
        spec = {**(status.get("storedWorkflowTemplateSpec") or {}), **shown["spec"]}
        found = next((one for one in spec.get("templates", []) if one["name"] == name), None)
    else:
        found = (status.get("storedTemplates") or {}).get(f"{kind}/{of}/{name}")
    return {"templateName": name, "template": found}


def _with_conditions_by_type(shown: Object) -> Object:
    """Their order says nothing."""
    status = shown.get("status") or {}
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or []}
    return {**shown, "status": {**status, "conditions": conditions}}


def _without_stub(shown: Object) -> Object:
    """With the tree of the run alone, as if it were the origin's own.

    Deliberately other with the hold plugin: a root and `placement` above it, the target's name for a name, and ids
    that Argo's controller at the front door does not take for its own.
    """
    name = shown["metadata"]["name"]
    grafted = {key: node for key, node in _nodes(shown).items() if key.startswith(GRAFTED)}
    if not grafted:
        return {**shown, "status": {key: one for key, one in (shown.get("status") or {}).items() if key != "nodes"}}
    nodes = json.loads(json.dumps(grafted).replace(f'"{GRAFTED}{name}', f'"{name}'))
    root = nodes[name]
    above = root["name"]
    for node in nodes.values():
        node["name"] = name + node["name"].removeprefix(above)
    nodes[name] = {key: one for key, one in {**root, "displayName": name}.items() if key != "boundaryID"}
    return {**shown, "status": {**shown["status"], "nodes": nodes}}
