"""Whatever a cluster answers is read, or is a ValueError, however deep it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.model.bounded_json import _cut_off, is_deep, read_json
from webhook.model.limits.model import DEEPEST_JSON

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(JSON)
def test_what_is_not_deep_is_the_same_either_way(value: Any) -> None:
    data = json.dumps(value).encode()
    assert read_json(data) == value
    assert json.loads(_cut_off(data)) == value


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"]":', b"}]")])
@pytest.mark.parametrize("depth", [250, 600, 900, 1500, 9999, 200_000])
def test_what_is_too_deep_is_cut_off_and_what_stands_beside_it_is_kept(opens: bytes, closes: bytes, depth: int) -> None:
    deep = opens * depth + b"1" + closes * depth
    found = read_json(b'{"before": 1, "deep": ' + deep + b', "after": [' + deep + b', "]}"]}')
    assert found["before"] == 1
    assert not is_deep(found)
    assert found["after"][1] == "]}"


@pytest.mark.parametrize("data", [b"[" * 100_000, b"]" * 100_000, b"[" * 5000 + b"]" * 4000, b"[" * 5000 + b'"'])
def test_brackets_that_do_not_match_are_no_json(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(data)


@pytest.mark.parametrize("levels", [DEEPEST_JSON - 1, DEEPEST_JSON])
def test_what_is_just_deep_enough_is_kept_whole(levels: int) -> None:
    data = b'[{"a":' * (levels // 2) + b"[]" * (levels % 2) + b"1" * (1 - levels % 2) + b"}]" * (levels // 2)
    assert read_json(data) == json.loads(data)
    one_more = b"[" + data + b"]"
    assert is_deep(json.loads(one_more)) is (levels == DEEPEST_JSON)
    assert (read_json(one_more) == json.loads(one_more)) is (levels < DEEPEST_JSON)


@pytest.mark.parametrize("value", [None, 1, "[[", [], {}, [[]]])
def test_little_is_not_deep(value: Any) -> None:
    assert not is_deep(value)
