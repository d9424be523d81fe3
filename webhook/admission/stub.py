"""What a submission becomes at the front door, so that nothing there runs its templates. Pure.

With hold `none` it only gets Medea's annotations and finalizer, since no controller there would run it. With hold
`plugin` it becomes a stub. The stub's entrypoint is a DAG with one task, because Argo shows grafted nodes beside a
DAG's task, but not beside an entrypoint that is a plugin template itself. `spec.suspend` or a controller instance id
would hold it too, but both break the CLI.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webhook.model.contract import AGENT_ACCOUNT, WRITTEN
from webhook.model.finalizers import block_deletion
from webhook.model.objects import Metadata, Object, mapping, mappings
from webhook.totals.parameters import named

ENTRYPOINT = "medea"
TASK = "placement"
# The fields of a spec that may stay: all others create something at the front door, or mean nothing there.
_KEPT = ("arguments", "priority", "ttlStrategy", "suspend")


@dataclass(frozen=True)
class AgentPods:
    """Where the agents of stubs may run at the front door, in the words of a pod's spec."""

    tolerations: Sequence[Object] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    priority_class: str | None = None

    @property
    def spec(self) -> Object:
        """The fields of a Workflow's spec that Argo takes over into its agent's pod."""
        wanted = {
            "tolerations": list(self.tolerations),
            "nodeSelector": dict(self.node_selector),
            "podPriorityClassName": self.priority_class,
        }
        return {key: value for key, value in wanted.items() if value}


def stub_spec(spec: Mapping[str, Any], template_spec: Mapping[str, Any], placement: str, agents: AgentPods) -> Object:
    """The origin's new spec. Kept fields that it does not set itself come from its WorkflowTemplate."""
    kept = {key: spec.get(key, template_spec.get(key)) for key in _KEPT}
    kept["arguments"] = _without_lookups(kept["arguments"])
    return {
        **{key: value for key, value in kept.items() if value is not None},
        "entrypoint": ENTRYPOINT,
        "serviceAccountName": AGENT_ACCOUNT,
        **agents.spec,
        "templates": [
            {"name": ENTRYPOINT, "dag": {"tasks": [{"name": TASK, "template": TASK}]}},
            {"name": TASK, "plugin": {"medea": {"track": {"placement": placement}}}},
        ],
    }


def stub_placement(spec: Mapping[str, Any]) -> str | None:
    """The placement that a stub tracks; None if the spec is not a stub. `argo resubmit` copies stubs."""
    if spec.get("entrypoint") != ENTRYPOINT:
        return None
    for template in mappings(spec.get("templates")):
        try:
            return str(template["plugin"]["medea"]["track"]["placement"])
        except (KeyError, TypeError):
            continue
    return None


def arguments_again(original: Any, stub: Any) -> Any:
    """The arguments of a copied stub, which its user may have changed, with those that the stub had to leave out."""
    given = named(mapping(stub).get("parameters"))
    names = {one["name"] for one in given}
    left_out = [one for one in named(mapping(original).get("parameters")) if one["name"] not in names]
    return {**mapping(original), **mapping(stub), "parameters": [*given, *left_out]}


def _without_lookups(arguments: Any) -> Any:
    """The arguments without parameters with `valueFrom`, which Argo would try to resolve at the front door."""
    if not isinstance(arguments, Mapping):
        return arguments
    plain = [one for one in named(arguments.get("parameters")) if not one.get("valueFrom")]
    return {**arguments, **({"parameters": plain} if "parameters" in arguments else {})}


def hold_patch(workflow: Object, *, spec: Object | None, annotations: Mapping[str, str]) -> list[Object]:
    """The JSON Patch that turns the submitted Workflow into a held origin; with `spec=None` it keeps its own spec.

    A status that it came with belongs to another Workflow and is removed; a memoized resubmission's goes to the run.
    """
    metadata: Metadata = workflow["metadata"]
    marked = {**_not_ours(metadata.get("annotations")), **annotations}
    return [
        {"op": "add", "path": "/metadata/annotations", "value": marked},
        {"op": "add", "path": "/metadata/finalizers", "value": block_deletion(metadata.get("finalizers"))},
        *([] if spec is None else [{"op": "replace", "path": "/spec", "value": spec}]),
        *([{"op": "remove", "path": "/status"}] if "status" in workflow else []),
    ]


def _not_ours(given: Mapping[str, str] | None) -> dict[str, str]:
    """Without annotations that only Medea writes: they were copied from an earlier origin, or forged."""
    return {key: value for key, value in (given or {}).items() if key not in WRITTEN}
