"""Merge patches that leave nothing stale behind."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhook.controller.origin_status.merge import exactly, merge_patch


def applied(current: Any, patch: Any) -> Any:
    """RFC 7396, as an apiserver applies it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = applied(result.get(key), value)
    return result


leaves = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
objects = st.recursive(leaves, lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3), max_leaves=12)
mappings = st.dictionaries(st.text(max_size=2), objects, max_size=4)


@given(mappings, mappings)
def test_an_exact_patch_makes_one_of_the_other(current: dict[str, Any], desired: dict[str, Any]) -> None:
    assert applied(current, merge_patch(current, exactly(current, desired))) == desired


@given(mappings, mappings)
def test_a_patch_is_empty_once_it_has_been_applied(current: dict[str, Any], desired: dict[str, Any]) -> None:
    after = applied(current, merge_patch(current, desired))
    assert merge_patch(after, desired) == {}


def test_keys_that_are_not_named_stay() -> None:
    assert applied({"a": 1, "b": {"c": 1, "d": 2}}, merge_patch({"b": {"c": 1}}, {"b": {"c": 3}})) == {
        "a": 1,
        "b": {"c": 3, "d": 2},
    }
