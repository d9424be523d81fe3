"""What runs on a target has the selectors of that target's pools, templates of its WorkflowTemplates too."""

from typing import Any

import pytest

from tests.nodes.workflows import POOLS, SMALL, spec, template
from webhook.errors import Rejected
from webhook.model.run import Original
from webhook.nodes.apply import on_pools


def original(found: dict[str, Any], **templates: dict[str, Any]) -> Original:
    kept = [{"kind": "WorkflowTemplate", "metadata": {"name": name}, "spec": one} for name, one in templates.items()]
    return {"workflow": {"metadata": {}, "spec": found}, "templates": kept, "node_placement": True}


def selectors(placed: Original) -> dict[str, Any]:
    specs = [placed["workflow"]["spec"], *(one["spec"] for one in placed["templates"])]
    return {one["name"]: one.get("nodeSelector") for spec in specs for one in spec.get("templates", ())}


def test_its_own_templates_and_those_it_refers_to_are_placed_and_said() -> None:
    call = {"name": "a", "dag": {"tasks": [{"name": "t", "templateRef": {"name": "shared", "template": "b"}}]}}
    given = original(
        spec(call, template("c", limits={"cpu": "1"})),
        shared=spec(template("b", limits={"cpu": "10"}), template("huge", limits={"cpu": "1000"})),
    )
    placed, words = on_pools(given, POOLS, "west")
    assert selectors(placed) == {"a": None, "c": {"pool": "small"}, "b": {"pool": "large"}, "huge": None}
    assert words == "c on pool=small, b on pool=large"
    assert given["workflow"]["spec"]["templates"][1].get("nodeSelector") is None


def test_a_template_that_only_an_expression_names_stays_as_the_target_must_have_it() -> None:
    call = {"name": "t", "templateRef": {"name": "{{=inputs.parameters.which}}", "template": "b"}}
    given = original(
        spec({"name": "a", "dag": {"tasks": [call]}}, template("c", limits={"cpu": "1"})),
        named=spec(template("b", limits={"cpu": "1"})),
    )
    placed, words = on_pools(given, POOLS, "west")
    assert placed["templates"] == given["templates"]
    assert words == "c on pool=small"


def test_a_workflow_of_a_template_with_a_selector_keeps_that() -> None:
    below = spec(template("b", limits={"cpu": "1"}), nodeSelector={"disk": "ssd"})
    placed, words = on_pools(original({"workflowTemplateRef": {"name": "whole"}}, whole=below), POOLS, "west")
    assert (selectors(placed), words) == ({"b": None}, "")


def test_a_step_that_fits_no_pool_of_the_target_is_refused_there() -> None:
    with pytest.raises(Rejected, match="template a asks for cpu 4"):
        on_pools(original(spec(template("a", limits={"cpu": "4"}))), (SMALL,), "west")


def test_a_target_without_pools_takes_it_as_it_is_and_that_is_said() -> None:
    given = original(spec(template("a", limits={"cpu": "4"})))
    assert on_pools(given, (), "west") == (given, "west names no node pools")
