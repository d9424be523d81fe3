"""Whatever the body holds: a question, nothing for us, or an error that names the field. Never anything else."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.question import BadCall, read
from tests.plugin.conftest import Call

CALL = {
    "workflow": {"metadata": {"name": "w", "namespace": "n", "uid": "u"}},
    "template": {"plugin": {"medea": {"track": {"placement": "p"}}}},
}
PATHS = [
    ("workflow",),
    ("workflow", "metadata"),
    ("workflow", "metadata", "name"),
    ("workflow", "metadata", "namespace"),
    ("workflow", "metadata", "uid"),
    ("template",),
    ("template", "plugin"),
    ("template", "plugin", "medea"),
    ("template", "plugin", "medea", "track"),
]


def _json(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | numbers | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )


ANY_JSON = _json(st.floats())
WHAT_JSON_CARRIES = _json(st.floats(allow_nan=False, allow_infinity=False))


def _with(path: tuple[str, ...], value: object) -> dict[str, Any]:
    call: dict[str, Any] = copy.deepcopy(CALL)
    parent = call
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return call


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"\xff\xfe",
        b"\x00",
        b"a=b&c=d",
        b"[" * 200_000,
        b'{"workflow":' * 200_000,
        b"9" * 5_000,
        json.dumps([CALL]).encode(),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_no_call_is_refused_with_400(call: Call, body: bytes) -> None:
    answer = call(body)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")
    assert answer.json["error"]["message"].startswith("the body ")


@pytest.mark.parametrize("value", [None, 1, "", [], True, 1.5], ids=repr)
@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_wrong_field_is_refused_by_its_name(call: Call, path: tuple[str, ...], value: object) -> None:
    answer = call(_with(path, value))
    assert answer.status_code == 400
    assert answer.json["error"]["message"].startswith(".".join(path) + " must ")


@pytest.mark.parametrize("path", PATHS[:-2], ids=".".join)
def test_a_missing_field_is_refused_by_its_name(path: tuple[str, ...]) -> None:
    call = copy.deepcopy(CALL)
    parent: dict[str, Any] = call
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    with pytest.raises(BadCall, match=f"^{'[.]'.join(path)} must .* missing$"):
        read(json.dumps(call).encode())


@pytest.mark.parametrize(("verbs", "found"), [({}, "none"), ({"run": {}, "get": {}}, '"run", "get"')])
def test_exactly_one_verb_is_expected(verbs: dict[str, Any], found: str) -> None:
    with pytest.raises(BadCall, match=f"one verb.*it holds {found}"):
        read(json.dumps(_with(("template", "plugin", "medea"), verbs)).encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_json_cannot_carry_is_refused(call: Call, number: str) -> None:
    body = json.dumps(CALL).replace('"p"', number).encode()
    answer = call(body)
    assert answer.status_code == 400
    assert "a number that JSON cannot carry" in answer.json["error"]["message"]


def test_an_argument_nested_too_deeply_is_refused(call: Call) -> None:
    for depth in (500, 900, 990, 1_000, 3_000, 100_000):
        nested = "[" * depth + "]" * depth
        assert call(json.dumps(CALL).replace('"p"', nested).encode()).status_code in (200, 400)
    assert call(json.dumps(CALL).replace('"p"', nested).encode()).status_code == 400


def test_a_long_value_is_not_repeated_whole() -> None:
    with pytest.raises(BadCall) as refused:
        read(json.dumps(_with(("workflow",), "x" * 100_000)).encode())
    assert len(str(refused.value)) < 200


@given(st.binary())
def test_any_bytes_at_all_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadCall):
        read(body)


@given(st.sampled_from(PATHS), ANY_JSON)
def test_any_value_in_any_field_is_carried_or_refused(path: tuple[str, ...], value: object) -> None:
    with contextlib.suppress(BadCall):
        question = read(json.dumps(_with(path, value)).encode())
        if question is not None:
            assert set(json.loads(question)) == {"workflow", "call"}


@given(st.dictionaries(st.text(), WHAT_JSON_CARRIES, max_size=3))
def test_an_argument_is_carried_unchanged(argument: dict[str, Any]) -> None:
    question = read(json.dumps(_with(("template", "plugin", "medea", "track"), argument)).encode())
    assert question is not None
    assert json.loads(question)["call"] == {"track": argument}
