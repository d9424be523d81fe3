"""The plugin hold: the stub that the origin becomes."""

from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from webhook.admission.stub import AgentPods, arguments_again, hold_patch, stub_placement, stub_spec

NAMES = st.sampled_from(["parameters", "name", "valueFrom", "value"])
SPEC: dict[str, Any] = {
    "entrypoint": "main",
    "arguments": {"parameters": [{"name": "a", "value": "1"}]},
    "volumes": [{"name": "v"}],
    "hooks": {"exit": {"template": "x"}},
    "priority": 5,
    "suspend": True,
    "workflowTemplateRef": {"name": "t"},
    "templates": [{"name": "main", "container": {"image": "x"}}],
}


def held(metadata: dict[str, Any]) -> dict[str, Any]:
    patch = hold_patch(
        {"metadata": metadata}, spec=stub_spec(SPEC, {}, "p1", AgentPods()), annotations={"medea.dev/placement": "p1"}
    )
    changed: dict[str, Any] = jsonpatch.JsonPatch(patch).apply({"metadata": metadata, "spec": SPEC})
    return changed


def test_a_stub_keeps_arguments_and_priority_and_nothing_that_would_create_something() -> None:
    stub = stub_spec(SPEC, {}, "p1", AgentPods())
    assert stub.keys() == {"arguments", "priority", "suspend", "entrypoint", "serviceAccountName", "templates"}
    assert stub["arguments"] == SPEC["arguments"]
    assert not [template for template in stub["templates"] if "container" in template]


def test_what_the_workflow_leaves_to_its_template_comes_from_there() -> None:
    ttl = {"secondsAfterCompletion": 60}
    assert stub_spec({}, {"ttlStrategy": ttl, "volumes": []}, "p1", AgentPods())["ttlStrategy"] == ttl


def test_a_value_that_is_in_a_config_map_is_left_to_the_target_and_comes_back_with_a_copy() -> None:
    lookup = {"name": "b", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}
    plain = {"name": "a", "value": "1"}
    original = {"parameters": [lookup, plain], "artifacts": [{"name": "x"}]}
    kept = stub_spec({"arguments": original}, {}, "p1", AgentPods())["arguments"]
    assert kept["parameters"] == [plain]
    changed = {**kept, "parameters": [{"name": "a", "value": "2"}]}
    assert arguments_again(original, changed)["parameters"] == [{"name": "a", "value": "2"}, lookup]
    assert arguments_again(original, changed)["artifacts"] == [{"name": "x"}]


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_arguments_of_any_shape_are_no_error(arguments: Any) -> None:
    stub_spec({"arguments": arguments}, {}, "p1", AgentPods())
    arguments_again(arguments, {"parameters": arguments})
    arguments_again({"parameters": arguments}, arguments)


def test_a_stub_tells_its_placement_and_other_specs_do_not() -> None:
    assert stub_placement(stub_spec(SPEC, {}, "p1", AgentPods())) == "p1"
    assert stub_placement(SPEC) is None
    assert stub_placement({"entrypoint": "medea", "templates": [{"plugin": None}, 5]}) is None


def test_the_patch_applies_to_a_workflow_without_annotations_and_finalizers() -> None:
    origin = held({"generateName": "x-"})
    assert origin["metadata"]["annotations"] == {"medea.dev/placement": "p1"}
    assert origin["metadata"]["finalizers"] == ["medea.dev/run"]


def test_the_patch_keeps_what_is_the_users_and_drops_what_an_earlier_origin_was_told() -> None:
    origin = held(
        {
            "annotations": {
                "mine": "1",
                "medea.dev/placement": "old",
                "medea.dev/reason": "old",
                "medea.dev/identity": "somebody else",
                "medea.dev/policy": "random",
            },
            "finalizers": ["other", "medea.dev/run"],
        }
    )
    assert origin["metadata"]["annotations"] == {"mine": "1", "medea.dev/policy": "random", "medea.dev/placement": "p1"}
    assert origin["metadata"]["finalizers"] == ["other", "medea.dev/run"]


def test_agents_go_where_the_installation_lets_them() -> None:
    agents = AgentPods(({"key": "infra", "operator": "Exists"},), {"pool": "infra"}, "low")
    stub = stub_spec({**SPEC, "nodeSelector": {"gpu": "yes"}}, {}, "p1", agents)
    assert stub["tolerations"] == [{"key": "infra", "operator": "Exists"}]
    assert (stub["nodeSelector"], stub["podPriorityClassName"]) == ({"pool": "infra"}, "low")
