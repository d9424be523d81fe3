"""What can be split, and into which items; everything else is refused with the field that stands in the way."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.splitting.fanouts import PARAMETER, dag, leaf, steps, with_parameter
from webhook.errors import Refused
from webhook.splitting.asked import Asked, asked
from webhook.splitting.shape import Output, fanout_of

Object = dict[str, Any]


def refused(spec: Object) -> str:
    """Why it can't be split."""
    with pytest.raises(Refused) as raised:
        fanout_of(spec)
    return raised.value.message


@pytest.mark.parametrize(
    ("value", "chunks"),
    [("20", Asked(20)), (" 1 ", Asked(1)), ("auto", Asked(None)), ("1000", Asked(1000)), (None, None)],
)
def test_the_annotation_says_how_many_chunks(value: str | None, chunks: Asked | None) -> None:
    assert asked(value) == chunks


@pytest.mark.parametrize("value", ["", "0", "-1", "1001", "many", "2.5", "1e3", "٣", "Auto", "nan", "9" * 5000])
def test_anything_else_in_it_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(Refused, match=r"^annotation medea\.dev/split is"):
        asked(value)


@given(st.text(max_size=20))
def test_any_text_is_understood_or_refused(value: str) -> None:
    try:
        found = asked(value)
    except Refused:
        return
    assert found is not None and (found.chunks is None or 1 <= found.chunks <= 1000)


@pytest.mark.parametrize(
    ("loop", "items"),
    [
        ({"withItems": ["a", 2, {"x": 1}, [1, 2], True]}, ("a", 2, {"x": 1}, [1, 2], True)),
        ({"withParam": '["a", 1, 0.5]'}, ("a", 1, 0.5)),
        ({"withSequence": {"count": "3"}}, ("0", "1", "2")),
        ({"withSequence": {"count": 3, "start": "5"}}, ("5", "6", "7")),
        ({"withSequence": {"start": "3", "end": "1"}}, ("3", "2", "1")),
        ({"withSequence": {"count": "2", "format": "f-%03d"}}, ("f-000", "f-001")),
        ({"withSequence": {"count": "1", "start": "255", "format": "100%% %-4X|"}}, ("100% FF  |",)),
    ],
)
def test_items_are_what_argo_would_make_of_the_loop(loop: Object, items: tuple[Any, ...]) -> None:
    assert fanout_of(steps(**loop)).items == items
    assert fanout_of(dag(**loop)).items == items


def test_items_may_come_from_the_workflows_parameters() -> None:
    spec = with_parameter(steps(withParam="{{workflow.parameters.list}}"), "list", '["a","b"]')
    assert fanout_of(spec).items == ("a", "b")
    spec = with_parameter(steps(withSequence={"count": "{{workflow.parameters.n}}"}), "n", "2")
    assert fanout_of(spec).items == ("0", "1")


@pytest.mark.parametrize(
    ("loop", "field"),
    [
        ({}, r"steps\[work\] is 'work'"),
        ({"withItems": []}, "withItems"),
        ({"withItems": "abc"}, "withItems"),
        ({"withItems": [None]}, "withItems"),
        ({"withItems": ["a"], "withParam": "[1]"}, r"steps\[work\]"),
        ({"withParam": "{}"}, "withParam"),
        ({"withParam": "[1,"}, "withParam"),
        ({"withParam": "[NaN]"}, "withParam"),
        ({"withParam": "[1.10]"}, "withParam"),
        ({"withParam": "[" * 100_000}, "withParam"),
        ({"withParam": "{{steps.before.outputs.result}}"}, "withParam"),
        ({"withParam": "{{workflow.parameters.missing}}"}, "withParam"),
        ({"withSequence": {}}, "withSequence"),
        ({"withSequence": {"count": "0"}}, "withSequence"),
        ({"withSequence": {"count": "-1"}}, "withSequence"),
        ({"withSequence": {"count": "NaN"}}, r"withSequence\.count"),
        ({"withSequence": {"count": "999999999"}}, "withSequence"),
        ({"withSequence": {"count": "9" * 5000}}, r"withSequence\.count"),
        ({"withSequence": {"count": "1", "end": "3"}}, "withSequence"),
        ({"withSequence": {"count": "1", "format": "%d %d"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": "%900000000d"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": "%.900000000d"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": "%s"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": "%f"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": "%#o"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1", "format": ["%d"]}}, r"withSequence\.format"),
        ({"withSequence": {"count": "100000", "format": "x" * 10_000 + "%d"}}, r"withSequence\.format"),
        ({"withSequence": {"count": "1_0"}}, r"withSequence\.count"),
        ({"withSequence": {"count": "٣"}}, r"withSequence\.count"),
        ({"withSequence": {"cuont": "1"}}, "withSequence"),
    ],
)
def test_items_that_are_not_known_before_or_wrong_are_refused_by_name(loop: Object, field: str) -> None:
    with pytest.raises(Refused, match=field):
        fanout_of(steps(**loop))


@pytest.mark.parametrize(
    "key",
    [
        "workflowTemplateRef",
        "onExit",
        "hooks",
        "volumeClaimTemplates",
        "synchronization",
        "parallelism",
        "activeDeadlineSeconds",
        "metrics",
    ],
)
def test_what_would_count_for_each_chunk_is_refused(key: str) -> None:
    assert refused({**steps(withItems=[1]), key: {"x": 1}}).startswith(f"spec.{key} is")


@pytest.mark.parametrize("key", ["retryStrategy", "parallelism", "timeout", "memoize"])
def test_nor_may_it_come_from_the_defaults_of_all_templates(key: str) -> None:
    spec = {**steps(withItems=[1]), "templateDefaults": {key: {"x": 1}}}
    assert refused(spec).startswith(f"spec.templateDefaults.{key} is")


def test_nothing_may_follow_the_fan_out() -> None:
    after = {"name": "after", "template": "one"}
    spec = steps(withItems=[1])
    spec["templates"][0]["steps"].append([after])
    assert "['work', 'after']" in refused(spec) and "there must be one" in refused(spec)
    spec = dag(withItems=[1])
    spec["templates"][0]["dag"]["tasks"].append(after)
    assert "other tasks need" in refused(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"entrypoint": "main"},
        {"entrypoint": "main", "templates": [leaf()]},
        {"entrypoint": "one", "templates": [leaf()]},
        {"entrypoint": "main", "templates": [{"name": "main", "steps": []}]},
        {"entrypoint": "main", "templates": [{"name": "main", "steps": [[]]}]},
        {"entrypoint": "main", "templates": [{"name": "main", "steps": "x"}]},
        {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": "x"}}]},
        {"entrypoint": ["main"], "templates": "x"},
    ],
)
def test_any_other_shape_is_refused(spec: Object) -> None:
    assert refused(spec)


def test_outputs_of_the_entrypoint_must_be_those_of_the_fan_out() -> None:
    parameter = {"name": "all", "valueFrom": {"parameter": PARAMETER}}
    assert fanout_of(steps(withItems=[1], outputs={"parameters": [parameter]})).outputs == (
        Output("all", "parameters.answer"),
    )
    wrong = {"name": "all", "valueFrom": {"expression": "1 + 1"}}
    assert "outputs.parameters[all]" in refused(steps(withItems=[1], outputs={"parameters": [wrong]}))
    assert "outputs" in refused(steps(withItems=[1], outputs={"artifacts": [{"name": "a", "from": "x"}]}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("work"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "steps", "dag", "tasks", "withItems", "withSequence", "count", "templates", "entrypoint"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["entrypoint", "templates", "arguments"]), JSON))
def test_whatever_is_in_a_spec_it_is_understood_or_refused(spec: Object) -> None:
    with contextlib.suppress(Refused):
        assert fanout_of(spec).items
