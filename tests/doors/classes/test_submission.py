"""What `POST /submit-job` takes, and what it refuses by the field's name."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.classes.rules import Priority, Submission
from webhook.doors.classes.submission import read_submission
from webhook.errors import BadRequest

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        *("rows", "nr_of_rows", "estimated_runtime_sec", "estimated_runtime", "priority"),
        *("latency_sensitive", "latency_sensitivity", "data", "more"),
    ]
)


def refusal(body: bytes) -> BadRequest:
    """The error with which a body is refused."""
    with pytest.raises(BadRequest) as error:
        read_submission(body)
    return error.value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{}", Submission()),
        (
            '{"latency_sensitive": true, "rows": 100, "estimated_runtime_sec": 1}',
            Submission(100, 1.0, Priority.NORMAL, True),
        ),
        ('{"nr_of_rows": 5, "estimated_runtime": 2.5, "latency_sensitivity": false}', Submission(5, 2.5)),
        ('{"rows": 1e6, "priority": "high"}', Submission(1_000_000, priority=Priority.HIGH)),
        ('{"rows": 5, "nr_of_rows": 5.0, "priority": "low"}', Submission(5, priority=Priority.LOW)),
        ('{"rows": 0, "estimated_runtime": 0}', Submission(0, 0.0)),
        ('{"data": {"table": "a", "n": [1, null]}}', Submission(data={"table": "a", "n": [1, None]})),
    ],
)
def test_a_job_is_read_by_either_name_of_its_fields(body: str, expected: Submission) -> None:
    assert read_submission(body.encode()) == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"rows": -1}', "rows"),
        ('{"nr_of_rows": -1}', "nr_of_rows"),
        ('{"rows": NaN}', "rows"),
        ('{"rows": Infinity}', "rows"),
        ('{"rows": 1e400}', "rows"),
        ('{"rows": 1.5}', "rows"),
        ('{"rows": "100"}', "rows"),
        ('{"rows": true}', "rows"),
        ('{"rows": null}', "rows"),
        ('{"rows": [1]}', "rows"),
        ('{"rows": 1000000000000001}', "rows"),
        ('{"rows": %s}' % ("9" * 10_000), "rows"),
        ('{"rows": 1, "rows": 2}', "rows"),
        ('{"rows": 1, "nr_of_rows": 2}', "nr_of_rows"),
        ('{"estimated_runtime_sec": -0.1}', "estimated_runtime_sec"),
        ('{"estimated_runtime": -Infinity}', "estimated_runtime"),
        ('{"estimated_runtime": 1e10}', "estimated_runtime"),
        ('{"estimated_runtime": false}', "estimated_runtime"),
        ('{"estimated_runtime": 1, "estimated_runtime_sec": 2}', "estimated_runtime"),
        ('{"priority": "urgent"}', "priority"),
        ('{"priority": 1}', "priority"),
        ('{"priority": ["high"]}', "priority"),
        ('{"latency_sensitive": "yes"}', "latency_sensitive"),
        ('{"latency_sensitive": 1}', "latency_sensitive"),
        ('{"latency_sensitive": true, "latency_sensitivity": false}', "latency_sensitivity"),
        ('{"data": [1]}', "data"),
        ('{"data": {"a": NaN}}', "data"),
        ('{"data": {"a": "\\u0000"}}', "data.a"),
        ('{"data": {"a": "%s"}}' % ("x" * 70_000), "data"),
        ('{"prority": "high"}', "prority"),
        ("[]", "the body"),
        ("NaN", "the body"),
    ],
)
def test_what_is_wrong_is_refused_by_the_fields_name(body: str, field: str) -> None:
    error = refusal(body.encode())
    assert error.details["field"] == field
    assert "\n" not in error.message and len(error.message) < 600


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000, b'{"data": ' + b"[" * 900 + b"]" * 900 + b"}"]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    refusal(body)


@given(st.dictionaries(names, values, max_size=4))
def test_anything_is_either_a_job_with_numbers_in_their_ranges_or_refused(given_fields: dict[str, Any]) -> None:
    try:
        found = read_submission(json.dumps(given_fields).encode())
    except BadRequest:
        return
    assert 0 <= found.rows <= 10**15
    assert 0 <= found.runtime <= 1e9
    assert found.priority in Priority


@given(st.binary(max_size=60))
def test_any_bytes_are_a_job_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        read_submission(body)


@pytest.mark.parametrize("body", ['{"%s": 1}', '{"%s": 1, "%s": 2}'])
@pytest.mark.parametrize("name", ["x" * 3_000_000, r"\ud800", r"a\r\nb"])
def test_a_strangers_name_of_a_field_is_told_in_one_short_line(body: str, name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_submission(body.replace("%s", name).encode())
    told = json.dumps(caught.value.as_json(), ensure_ascii=False).encode()
    assert len(told) < 5000
    assert caught.value.message.isprintable()
