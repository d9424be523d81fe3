"""A run finds its templates on the target at the version that its origin was submitted with; nobody loses theirs."""

from typing import Any

import pytest

from tests.support.template_store import Store, template
from webhook.controller.templates import with_templates
from webhook.errors import Rejected
from webhook.model.contract import COPIED
from webhook.model.run import Original
from webhook.model.template_versions import needed, rewritten
from webhook.totals.shape import Name

Object = dict[str, Any]


def spec(image: str, *references: str) -> Object:
    """A template's spec that runs this image, and a step for each template of others."""
    steps = [[{"name": name, "templateRef": {"name": name, "template": "main"}}] for name in references]
    return {"templates": [{"name": "main", "container": {"image": image}}, {"name": "all", "steps": steps}]}


def placed(store: Store, workflow: Object, **specs: Object) -> Object:
    """The spec of the run of a Workflow that needs these templates."""
    originals = [{"kind": "WorkflowTemplate", **template(name, one)} for name, one in specs.items()]
    original = Original(workflow={"metadata": {}, "spec": workflow}, templates=originals)
    with store.cluster() as target:
        made: Object = with_templates(target, "ns", original)["spec"]
    return made


def reference(name: str) -> Object:
    return {"workflowTemplateRef": {"name": name}}


def test_a_missing_template_is_copied_under_its_own_name() -> None:
    store = Store()
    assert placed(store, reference("a"), a=spec("one")) == reference("a")
    assert store.specs() == {"a": spec("one")}
    assert store.objects["a"]["metadata"]["labels"][COPIED] == "true"


def test_the_same_version_is_used_whoever_it_belongs_to() -> None:
    store = Store(template("a", spec("one")))
    assert placed(store, reference("a"), a=spec("one")) == reference("a")
    assert store.creates == 0


@pytest.mark.parametrize("labels", [{}, {COPIED: "true"}])
def test_another_version_stays_and_the_run_gets_a_copy_of_its_own(labels: Object) -> None:
    store = Store(template("a", spec("old"), labels))
    made = placed(store, reference("a"), a=spec("new"))
    name = made["workflowTemplateRef"]["name"]
    assert name.startswith("a-")
    assert store.specs() == {"a": spec("old"), name: spec("new")}
    assert placed(store, reference("a"), a=spec("new")) == made
    assert store.creates == 1


def test_what_refers_to_a_template_with_a_new_name_gets_one_too_at_any_depth() -> None:
    old = {"a": spec("x", "b"), "b": spec("x", "c"), "c": spec("old"), "d": spec("x")}
    store = Store(*(template(name, one) for name, one in old.items()))
    made = placed(store, spec("x", "a", "d"), **{**old, "c": spec("new")})
    first, last = (group[0]["templateRef"]["name"] for group in made["templates"][1]["steps"])
    assert last == "d"
    second = store.specs()[first]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    third = store.specs()[second]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    assert store.specs()[third] == spec("new")
    assert {name: store.specs()[name] for name in old} == old


def test_templates_that_refer_to_each_other_keep_doing_so() -> None:
    store = Store(template("b", spec("old", "a")))
    made = placed(store, reference("a"), a=spec("x", "b"), b=spec("new", "a"))
    a = made["workflowTemplateRef"]["name"]
    b = store.specs()[a]["templates"][1]["steps"][0][0]["templateRef"]["name"]
    assert store.specs()[b]["templates"][1]["steps"][0][0]["templateRef"]["name"] == a
    assert store.specs()[b]["templates"][0] == spec("new")["templates"][0]


def test_two_runs_at_once_never_take_the_others_version() -> None:
    """The name is free when both look; the other's copy is there when this one creates its own."""
    store = Store()
    store.before_create = lambda: store.put(template("a", spec("theirs"), {COPIED: "true"}))
    made = placed(store, reference("a"), a=spec("mine"))
    assert store.specs()[made["workflowTemplateRef"]["name"]] == spec("mine")
    assert store.specs()["a"] == spec("theirs")


def test_a_stranger_under_the_new_name_is_no_reason_to_run_something_else() -> None:
    store = Store(template("a", spec("old")))
    name = placed(store, reference("a"), a=spec("new"))["workflowTemplateRef"]["name"]
    store.put(template(name, spec("a stranger's")))
    with pytest.raises(Rejected, match="no copy of Medea's"):
        placed(store, reference("a"), a=spec("new"))


def test_a_template_whose_name_is_an_expression_can_only_be_had_at_the_version_that_is_there() -> None:
    by_expression = spec("x", "{{workflow.parameters.which}}")
    assert placed(Store(), by_expression, a=spec("one")) == by_expression
    with pytest.raises(Rejected, match="another version of WorkflowTemplate a is there"):
        placed(Store(template("a", spec("old"))), by_expression, a=spec("new"))


MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: "inner-{{workflow.name}}-"}
spec:
  workflowTemplateRef: {name: a}
"""


def test_a_workflow_in_a_manifest_refers_to_the_right_version_too() -> None:
    creates = {"name": "r", "resource": {"action": "create", "manifest": MANIFEST}}
    made = rewritten({"templates": [creates]}, {Name("a"): "a-1"})["templates"][0]["resource"]["manifest"]
    assert "name: a-1" in made
    assert "inner-{{workflow.name}}-" in made
    other = rewritten({"templates": [creates]}, {Name("b"): "b-1"})
    assert other["templates"][0]["resource"]["manifest"] == MANIFEST


def test_cluster_templates_and_those_of_a_namespace_are_different_ones() -> None:
    both = {Name("a"): spec("one"), Name("a", cluster=True): spec("two")}
    wanted = needed(both, {Name("a"): spec("old"), Name("a", cluster=True): spec("two")})
    assert set(wanted.renamed) == {Name("a")}
    assert wanted.specs[Name("a", cluster=True)] == spec("two")
