"""A chunk is its origin's own Workflow with some of the items."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.splitting.fanouts import PARAMETER, dag, steps, with_parameter
from webhook.kube.resources import is_name
from webhook.model.subworkflows import parent_of
from webhook.splitting.chunk import Whole, chunk_name, chunk_workflow, sliced
from webhook.splitting.shape import fanout_of

WHOLE = Whole("0123456789abcdef", "job", "u1")


def test_it_has_its_items_and_everything_else_of_its_origin() -> None:
    spec = steps(
        withSequence={"count": "9"}, outputs={"parameters": [{"name": "a", "valueFrom": {"parameter": PARAMETER}}]}
    )
    original = {
        "metadata": {
            "name": "job",
            "labels": {"team": "a", "workflows.argoproj.io/completed": "true"},
            "annotations": {
                "note": "x",
                "medea.dev/split": "3",
                "medea.dev/placement": "p",
                "medea.dev/clusters": "west,east",
                "medea.dev/policy": "random",
            },
        },
        "spec": {**spec, "ttlStrategy": {"secondsAfterCompletion": 1}, "serviceAccountName": "me"},
    }
    before = copy.deepcopy(original)
    made = chunk_workflow(original, fanout_of(spec), [(2, 2), (7, 1)], name="job-c", number=4, whole=WHOLE, only=None)
    assert original == before
    step = made["spec"]["templates"][0]["steps"][0][0]
    assert step["withItems"] == ["2", "3", "7"] and "withSequence" not in step
    assert "outputs" not in made["spec"]["templates"][0] and "ttlStrategy" not in made["spec"]
    assert made["spec"]["serviceAccountName"] == "me" and made["spec"]["templates"][1] == spec["templates"][1]
    assert parent_of(made) == ("job", "u1")
    assert made["metadata"]["labels"]["medea.dev/split-of"] == WHOLE.placement
    assert (
        made["metadata"]["labels"]["team"] == "a"
        and "workflows.argoproj.io/completed" not in made["metadata"]["labels"]
    )
    notes = made["metadata"]["annotations"]
    assert notes["medea.dev/clusters"] == "west,east" and notes["note"] == "x" and notes["medea.dev/chunk"] == "4"
    assert "medea.dev/split" not in notes and "medea.dev/placement" not in notes


def test_a_list_in_a_parameter_is_not_in_every_chunk() -> None:
    whole = json.dumps([f"item {one}" for one in range(1000)])
    spec = with_parameter(steps(withParam="{{workflow.parameters.list}}"), "list", whole)
    assert sliced(spec, fanout_of(spec), ["a"])["arguments"]["parameters"] == [{"name": "list", "value": '["a"]'}]
    assert spec["arguments"]["parameters"][0]["value"] == whole


@pytest.mark.parametrize(
    "mention",
    [
        {"args": ["{{workflow.parameters.list}}"]},
        {"args": ["{{ workflow.parameters }}"]},
        {"args": ["{{workflow.parameters.json}}"]},
        {"args": ["{{=len(workflow['parameters'].list)}}"]},
        {"templateRef": {"name": "may", "template": "mention-it"}},
    ],
)
def test_a_list_in_a_parameter_that_may_be_used_elsewhere_stays_whole(mention: dict[str, Any]) -> None:
    spec = with_parameter(steps(withParam="{{workflow.parameters.list}}"), "list", '["a","b"]')
    spec["templates"][1]["container"].update(mention)
    assert sliced(spec, fanout_of(spec), ["a"])["arguments"]["parameters"][0]["value"] == '["a","b"]'


def test_it_may_be_kept_from_targets() -> None:
    spec = dag(withItems=["a", "b"])
    made = chunk_workflow(
        {"spec": spec},
        fanout_of(spec),
        [(1, 1)],
        name="job-c",
        number=0,
        whole=WHOLE,
        only={"west", "east"},
    )
    assert made["metadata"]["annotations"]["medea.dev/clusters"] == "east,west"
    assert made["spec"]["templates"][0]["dag"]["tasks"][0]["withItems"] == ["b"]


@given(st.from_regex(r"[a-z]([a-z0-9.-]{0,240}[a-z0-9])?", fullmatch=True), st.integers(0, 999))
def test_its_name_is_a_name_and_its_own(origin: str, number: int) -> None:
    name = chunk_name(origin, WHOLE.placement, number)
    assert len(name) <= 63
    assert name != chunk_name(origin, WHOLE.placement, number + 1)
    if is_name(origin):
        assert is_name(name)
