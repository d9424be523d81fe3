"""However large or hostile a Workflow is, weighing it is bounded, and what is cut short is never counted too low."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, milli, pod, spec, steps, task
from tests.totals.test_requirements import JUNK, OF_A_SPEC, OF_A_TASK, OF_A_TEMPLATE
from webhook.errors import Refused, Unavailable
from webhook.model.json_input import check_storable
from webhook.totals.budget import Budget
from webhook.totals.manifests import read_yaml
from webhook.totals.model import NO_DEFAULTS
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.shape import spec_references
from webhook.totals.tags import UNKNOWN, filled, tags_in

ONLY_THE_SUM = Budget(left=lambda: 0.5, heavy=lambda: None)
NO_TIME = Budget(left=lambda: -1.0, heavy=lambda: None)
SIZES = {"a": 100, "b": 250, "c": 700}


def summed(written: Object) -> Requirements:
    return requirements_of(written, {}, NO_DEFAULTS, ONLY_THE_SUM)


@st.composite
def workflows(draw: st.DrawFn) -> Object:
    """DAGs and steps over three pods and each other, with loops, hooks, limits on pods and daemons."""
    names = list(SIZES)
    templates = [pod(name, size, daemon=draw(st.booleans())) for name, size in SIZES.items()]
    for level in range(draw(st.integers(1, 3))):
        name = f"t{level}"
        tasks = [
            task(f"x{number}", draw(st.sampled_from(names)), draw(st.sampled_from(["", *before])), **draw(_more()))
            for number, before in enumerate([f"x{one}" for one in range(at)] for at in range(draw(st.integers(1, 4))))
        ]
        more = {"parallelism": draw(st.integers(1, 3))} if draw(st.booleans()) else {}
        templates.append(steps(tasks, name=name, **more) if draw(st.booleans()) else dag(*tasks, name=name, **more))
        names.append(name)
    hooks = {"exit": {"template": draw(st.sampled_from(names))}} if draw(st.booleans()) else {}
    return {"entrypoint": names[-1], "templates": templates, "hooks": hooks}


def _more() -> st.SearchStrategy[Object]:
    loops: list[Object] = [{}, {"withItems": [1, 2, 3]}, {"withSequence": {"count": "2"}}]
    return st.sampled_from([*loops, {"hooks": {"exit": {"template": "a"}}}, {"withItems": ["{{x}}", "b"]}])


@given(workflows())
def test_the_sum_that_is_taken_instead_of_a_peak_is_never_below_it(written: Object) -> None:
    found = summed(written)
    assert found.totals.cpu_milli >= milli(written)
    assert "all of its pods are counted at once" in " ".join(found.notes)


def test_what_calls_more_templates_than_are_walked_through_counts_whole() -> None:
    tasks = [task(f"x{number}", "a", f"x{number - 1}" if number else "") for number in range(6000)]
    assert milli(spec(dag(*tasks), pod("a", 10))) == 60_000


@pytest.mark.parametrize(
    "hidden",
    [
        {"withParam": "{{inputs.parameters.p}}", "template": "a"},
        {"withSequence": {"count": "{{inputs.parameters.p}}"}, "template": "a"},
        {"template": "{{inputs.parameters.p}}"},
    ],
)
def test_what_only_a_walk_could_tell_is_refused_with_what_to_do_and_never_counted_as_nothing(hidden: Object) -> None:
    inner = dag({"name": "y", **hidden}, name="inner", inputs={"parameters": [{"name": "p"}]})
    given_ = {"parameters": [{"name": "p", "value": "5"}]}
    with pytest.raises(Refused, match=r"too large to be weighed; make it several Workflows"):
        summed(spec(dag(task("x", "inner", arguments=given_)), inner, pod("a")))


def test_without_any_time_left_it_is_to_be_tried_again() -> None:
    with pytest.raises(Unavailable, match="could not be weighed in time; try again"):
        requirements_of(spec(dag(task("x", "a")), pod("a")), {}, NO_DEFAULTS, NO_TIME)


def test_templates_that_call_each_other_without_end_are_refused_and_no_bug() -> None:
    def chain(length: int, last: Object) -> Object:
        levels = [steps([task("x", f"t{one + 1}")], name=f"t{one}") for one in range(length)]
        return {"entrypoint": "t0", "templates": [*levels, {**last, "name": f"t{length}"}]}

    def creates(written: Object) -> Object:
        manifest = json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": written})
        return {"resource": {"action": "create", "manifest": manifest}}

    assert milli(chain(45, pod("x", 10))) == 10
    nested = chain(40, pod("x"))
    for _ in range(3):
        nested = chain(40, creates(nested))
    for too_deep in (chain(60, pod("x")), nested):
        with pytest.raises(Refused, match="too large"):
            milli(too_deep)


def test_a_flow_that_is_too_dear_is_replaced_by_a_bound_and_that_is_said() -> None:
    limit = {"parallelism": 60}

    def woven(name: str) -> Object:
        tasks = [task(f"x{one}", "abc"[one % 3], f"x{one - 7} && x{one - 10}" if one > 9 else "") for one in range(300)]
        return dag(*tasks, name=name, parallelism=40)

    names = [f"w{number}" for number in range(4)]
    pods = [pod(name, size) for name, size in SIZES.items()]
    main = steps(*([task(name, name)] for name in names))
    found = requirements_of(
        spec(main, *map(woven, names), *pods, **limit), {}, NO_DEFAULTS, Budget(lambda: math.inf, lambda: None)
    )
    assert any("is so large that its peak may be counted too high" in note for note in found.notes)


@pytest.mark.parametrize("text", ["[" * 60_000, "{a: " * 16_000, "- " * 30_000, "[" * 30_000 + "]" * 30_000])
def test_yaml_that_would_overflow_the_stack_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not YAML"):
        read_yaml(text)


@pytest.mark.parametrize(
    "text", ["!!int ''", "!!float ''", "!!timestamp x", "!!bool x", "!!set x", "2001-99-99", "\ud800", "? [1]\n: 2"]
)
def test_yaml_that_is_not_what_it_says_is_refused_and_no_bug(text: str) -> None:
    with pytest.raises(ValueError, match="not YAML"):
        read_yaml(text)


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "1" + ":1" * 5000, "9" * 5000, "!!int '0b" + "1" * 20000 + "'"])
def test_a_number_that_python_can_not_write_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="not YAML"):
        read_yaml(f"cpu: {number}")
    assert read_yaml("a: 0x10\nb: 1:30\nc: -7") == [{"a": 16, "b": 90, "c": -7}]


def test_yaml_is_read_as_the_json_that_kubernetes_makes_of_it() -> None:
    found = read_yaml("2001-01-01: 2001-01-02\n1: [1.5, null, true]\nb: !!binary aGk=")
    assert json.loads(json.dumps(found)) == found
    assert found[0]["2001-01-01"] == "2001-01-02" and found[0]["1"] == [1.5, None, True]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", sorted({*OF_A_SPEC, *OF_A_TEMPLATE, *OF_A_TASK}))
def test_the_sum_of_a_workflow_of_any_shape_is_an_answer(where: str, junk: Any) -> None:
    shapes = [
        spec(dag(task("1", "a")), pod("a")) | {where: junk},
        spec(pod("main", 5) | {where: junk}),
        spec(dag(task("1", "a") | {where: junk}, task("2", "a", "1")), pod("a")),
        spec(steps([task("1", "a") | {where: junk}]), pod("a")),
    ]
    for written in shapes:
        with suppress(Refused):
            summed(written)


def test_yaml_whose_merges_multiply_is_refused() -> None:
    lines = ["a0: &a0 {k0: 1, k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1, k8: 1, k9: 1}"]
    lines += [f"a{one}: &a{one} {{<<: [{', '.join([f'*a{one - 1}'] * 10)}]}}" for one in range(1, 12)]
    with pytest.raises(ValueError, match="not YAML"):
        read_yaml("\n".join(lines))
    assert read_yaml("a: &a {k: 1}\nb: {<<: *a, l: 2}") == [{"a": {"k": 1}, "b": {"k": 1, "l": 2}}]


def test_braces_that_never_close_take_no_time() -> None:
    text = "{{" * 300_000
    assert filled(text, {}) == text
    assert list(tags_in(text)) == []
    assert milli(spec(dag(task("x", "a", withItems=[1, 2], arguments={"x": text})), pod("a", 10))) == 20


def test_tags_are_filled_as_argo_does_it() -> None:
    assert filled("a{{ x }}b{{=y}}c{{z}}", {"x": "1"}) == f"a1b{UNKNOWN}c{UNKNOWN}"
    assert filled("{{x}}" * 3, {"x": "y" * 40_000}) == "y" * 40_000 + UNKNOWN * 2


def test_parameters_that_double_at_each_call_do_not_grow_beyond_bounds() -> None:
    def level(number: int) -> Object:
        doubled = {"parameters": [{"name": "p", "value": "{{inputs.parameters.p}}" * 2}]}
        inputs = {"parameters": [{"name": "p", "value": "xx"}]}
        return dag(task("x", f"l{number + 1}", arguments=doubled), name=f"l{number}", inputs=inputs)

    levels = [level(number) for number in range(45)]
    assert milli({"entrypoint": "l0", "templates": [*levels, pod("l45", 10)]}) == 10


def test_long_names_around_many_things_do_not_multiply() -> None:
    name = "n" * 400_000
    check_storable(Refused, "Workflow", {name: [{"a": 1}] * 50_000})
    inline = {"dag": {"tasks": [{"name": str(number), "templateRef": {"name": "t"}} for number in range(5_000)]}}
    fields = [one.field for one in spec_references({"templates": [dag({"name": name, "inline": inline})]})]
    assert len(fields) == 5_000 and max(map(len, fields)) < 500


def test_a_text_that_can_not_be_stored_is_named_by_its_place() -> None:
    def refused(value: Any) -> str:
        with pytest.raises(Refused) as error:
            check_storable(Refused, "Workflow", value)
        return error.value.message

    assert refused({"spec": {"templates": [{"name": "main", "image": "\0"}]}}).startswith(
        "Workflow.spec.templates[main].image is"
    )
    assert refused({"a": {"\0": 1}}).startswith("a key in Workflow.a is")
