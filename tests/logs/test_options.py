"""What may be asked of a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import BadRequest
from webhook.logs.options import read_options


def test_what_an_apiserver_asks_is_asked_of_the_target() -> None:
    asked = {"follow": "true", "timestamps": "true", "tailLines": "5", "limitBytes": "10", "stream": "Stderr"}
    options = read_options("main", {**asked, "sinceTime": "2026-01-01T00:00:00Z", "sinceSeconds": "3"})
    assert options.follow
    assert dict(options.query) == {
        **asked,
        "container": "main",
        "sinceTime": "2026-01-01T00:00:00Z",
        "sinceSeconds": "3",
    }


def test_what_is_the_default_or_unknown_is_left_out() -> None:
    options = read_options("main", {"follow": "false", "stream": "All", "insecureSkipTLSVerifyBackend": "true"})
    assert options.query == (("container", "main"),)
    assert not options.follow


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("follow", "yes"),
        ("tailLines", "-1"),
        ("tailLines", "٣"),
        ("limitBytes", "1e3"),
        ("sinceTime", "now"),
        ("stream", "Both"),
    ],
)
def test_a_value_that_kubernetes_would_not_take_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=name):
        read_options("main", {name: value})


@given(
    st.text(),
    st.dictionaries(
        st.sampled_from(["follow", "previous", "sinceSeconds", "tailLines", "sinceTime", "stream"]), st.text()
    ),
)
def test_anything_else_is_either_refused_or_harmless(container: str, asked: dict[str, str]) -> None:
    try:
        options = read_options(container, asked)
    except BadRequest:
        return
    assert all("&" not in value and "\n" not in value for _, value in options.query)
