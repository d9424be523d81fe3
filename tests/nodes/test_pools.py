"""A target's node pools: what is noted of its nodes, and what is read of a note."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.model.contract import NODE_POOLS
from webhook.nodes.pools import Pool, Taint, note_of_pools, noted_pools
from webhook.totals.model import GIB

LABEL = "node.kubernetes.io/instance-type"


def node(kind: str | None, cpu: str = "4", memory: str = "16Gi", **more: Any) -> dict[str, Any]:
    labels = {} if kind is None else {LABEL: kind}
    sizes = {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "100Gi", **more.pop("devices", {})}
    return {"metadata": {"name": "n", "labels": labels}, "spec": more, "status": {"allocatable": sizes}}


def noted(text: str) -> tuple[Pool, ...]:
    return noted_pools({"metadata": {"annotations": {NODE_POOLS: text}}})


def test_nodes_with_the_same_label_are_a_pool_with_what_each_of_them_has() -> None:
    note = note_of_pools([node("b", "3920m", "15Gi"), node("b", "4", "14Gi"), node("a"), node(None)], LABEL)
    assert noted_pools({"metadata": {"annotations": note}}) == (
        Pool(((LABEL, "a"),), {"cpu": 4000, "memory": 16 * GIB}),
        Pool(((LABEL, "b"),), {"cpu": 3920, "memory": 14 * GIB}),
    )


def test_devices_and_what_keeps_pods_out_are_noted() -> None:
    taints = [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"},
        {"key": "spot", "effect": "PreferNoSchedule"},
    ]
    note = note_of_pools([node("g", devices={"nvidia.com/gpu": "2", "none.com/x": "0"}, taints=taints)], LABEL)
    [pool] = noted_pools({"metadata": {"annotations": note}})
    assert pool.sizes == {"cpu": 4000, "memory": 16 * GIB, "nvidia.com/gpu": 2}
    assert pool.taints == (Taint("nvidia.com/gpu", "present", "NoSchedule"),)


def test_a_node_that_takes_nothing_does_not_count() -> None:
    note = note_of_pools([node("a", "1", unschedulable=True), node("a", "4")], LABEL)
    [pool] = noted_pools({"metadata": {"annotations": note}})
    assert pool.sizes["cpu"] == 4000


def test_a_label_that_no_node_has_is_said() -> None:
    with pytest.raises(ValueError, match=f"no node has the label {LABEL}"):
        note_of_pools([node(None)], LABEL)


def test_a_note_that_nobody_would_read_is_not_written() -> None:
    devices = {f"example.com/device-{number}": "1" for number in range(100)}
    nodes = [node(f"kind-{number}", devices=devices) for number in range(30)]
    with pytest.raises(ValueError, match="is longer than"):
        note_of_pools(nodes, LABEL)


def test_a_target_without_a_note_names_no_pools() -> None:
    assert noted_pools(None) == noted_pools({"metadata": {}}) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("{}", "is not a list"),
        ("[" * 5000, "is not JSON"),
        ("[1]", "pool 0: selector is {}, and must be labels"),
        ('[{"selector": {"a": 1}, "sizes": {"cpu": "1"}}]', "must be labels"),
        ('[{"selector": {"a": "b"}}]', "sizes is missing"),
        ('[{"selector": {"a": "b"}, "sizes": {"cpu": "x"}}]', "sizes.cpu is 'x'"),
        (json.dumps([{}] * 101), "at most 100 pools"),
        (" " * 70000, "longer than"),
    ],
)
def test_a_note_that_cannot_be_read_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("{", r"\{").replace("[", r"\[")):
        noted(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["selector", "sizes", "taints", "key", "effect", "cpu"]), inner)
        ),
    )
)
def test_any_note_is_read_or_refused_in_words(value: Any) -> None:
    with suppress(ValueError):
        noted(json.dumps(value))
