"""Names of copies, and which templates a run needs."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from webhook.model.template_versions import copies, is_copy_name, rewritten, unused, without_hash
from webhook.totals.shape import Name

Object = dict[str, Any]
_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", fullmatch=True)


def calls(name: str, *, cluster: bool = False) -> Object:
    reference = {"name": name, "template": "m", **({"clusterScope": True} if cluster else {})}
    return {"templates": [{"name": "m", "steps": [[{"name": "s", "templateRef": reference}]]}]}


def leaf(image: str) -> Object:
    return {"templates": [{"name": "m", "container": {"image": image}}]}


@given(name=_NAMES, image=st.text(max_size=5))
def test_a_copys_name_is_one_that_kubernetes_takes_for_names_and_labels(name: str, image: str) -> None:
    _, [made] = copies(calls(name), {Name(name): leaf(image)})
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?", made.name)
    assert is_copy_name(made.name)
    assert made.name.startswith(without_hash(Name(made.name)).name)


def test_another_content_another_name_another_scope_or_another_dependency_is_another_copy() -> None:
    long = "x" * 60
    specs = [
        {Name("a"): leaf("one")},
        {Name("a"): leaf("two")},
        {Name("a", cluster=True): leaf("one")},
        {Name(f"{long}1"): leaf("one")},
        {Name(f"{long}2"): leaf("one")},
        {Name("a"): calls("b"), Name("b"): leaf("one")},
        {Name("a"): calls("b"), Name("b"): leaf("two")},
    ]
    names = set()
    for one in specs:
        first = next(iter(one))
        _, made = copies(calls(first.name, cluster=first.cluster), one)
        names.add(made[0].name)
    assert len(names) == len(specs)


def test_templates_of_both_scopes_that_refer_to_each_other_have_two_copies() -> None:
    both = {Name("a"): calls("a", cluster=True), Name("a", cluster=True): calls("a")}
    _, made = copies(calls("a"), both)
    assert len({one.name for one in made}) == 2


def test_only_what_the_run_refers_to_is_copied() -> None:
    made, needed = copies(leaf("x"), {Name("a"): leaf("one")})
    assert (made, needed) == (leaf("x"), [])


def test_names_can_be_changed_back() -> None:
    there = rewritten(calls("a", cluster=True), {Name("a", cluster=True): Name("a-1")})
    assert there == calls("a-1")
    assert rewritten(there, {Name("a-1"): Name("a", cluster=True)}) == calls("a", cluster=True)


@pytest.mark.parametrize("name", ["a", "a-12345", "a-0123456789abcdef012", "0123456789abcdef0123"])
def test_other_names_are_no_copies(name: str) -> None:
    assert not is_copy_name(name)
    assert without_hash(Name(name)) == Name(name)


def test_what_nothing_refers_to_is_unused_and_a_used_copy_uses_others() -> None:
    there: dict[str, Object] = {"a-1": {"spec": calls("b-1")}, "b-1": {"spec": leaf("x")}}
    there |= {"c-1": {"spec": calls("d-1")}, "d-1": {"spec": {}}}
    assert unused(there, []) == ["a-1", "b-1", "c-1", "d-1"]
    assert unused(there, [calls("a-1")]) == ["c-1", "d-1"]
    assert unused(there, iter([None, 1, {"deep": [["d-1"]]}])) == ["a-1", "b-1", "c-1"]


MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: "inner-{{workflow.name}}-"}
spec:
  workflowTemplateRef: {name: a}
"""


def test_a_workflow_in_a_manifest_refers_to_the_copy_too() -> None:
    creates = {"name": "r", "resource": {"action": "create", "manifest": MANIFEST}}
    made = rewritten({"templates": [creates]}, {Name("a"): Name("a-1")})["templates"][0]["resource"]["manifest"]
    assert 'name: "a-1"' in made
    assert "inner-{{workflow.name}}-" in made
    other = rewritten({"templates": [creates]}, {Name("b"): Name("b-1")})
    assert other["templates"][0]["resource"]["manifest"] == MANIFEST


TAGS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: inner-
spec:
  arguments:
    parameters:
      - {name: plain, value: {{inputs.parameters.a}}}
      - name: quoted
        value: '{{inputs.parameters.b}}'
      - name: doubly
        value: "{{=sprig.upper(inputs.parameters['b'])}}"
      - name: block
        value: |
          {{inputs.parameters.c}}
          yes
      - name: text
        value: "on"
  workflowTemplateRef:
    name: a
    clusterScope: true
"""


def test_what_a_manifest_is_filled_with_means_the_same_after_its_references_were_changed() -> None:
    creates = {"name": "r", "resource": {"action": "create", "manifest": TAGS}}
    renamed = {Name("a", cluster=True): Name("a-1")}
    made = rewritten({"templates": [creates]}, renamed)["templates"][0]["resource"]["manifest"]
    values = {
        "{{inputs.parameters.a}}": "5",
        "{{inputs.parameters.b}}": "true",
        "{{=sprig.upper(inputs.parameters['b'])}}": "12",
        "{{inputs.parameters.c}}": 'it "is" \\ so',
    }
    before, after = TAGS, made
    for tag, value in values.items():
        assert before.count(tag) == after.count(tag)
        before, after = before.replace(tag, value), after.replace(tag, value)
    expected = yaml.safe_load(before)
    expected["spec"]["workflowTemplateRef"] = {"name": "a-1"}
    assert yaml.safe_load(after) == expected


def test_a_manifest_inside_a_manifest_refers_to_the_copy_too() -> None:
    inner = {"name": "r", "resource": {"action": "create", "manifest": TAGS}}
    outer = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"templates": [inner]}}
    creates = {"name": "r", "resource": {"action": "create", "manifest": yaml.safe_dump(outer)}}
    made = rewritten({"templates": [creates]}, {Name("a", cluster=True): Name("a-1")})
    found = yaml.safe_load(made["templates"][0]["resource"]["manifest"])["spec"]["templates"][0]["resource"]["manifest"]
    assert 'name: "a-1"' in found and "clusterScope" not in found and "value: {{inputs.parameters.a}}" in found
