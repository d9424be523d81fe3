"""Names and ids from outside: made safe, or refused with the field's name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.files.limits import RUNS_PER_USER, runs_per_user
from webhook.doors.files.names import checked_id, checked_service, checked_user, safe_name, shown_user
from webhook.errors import BadRequest, Missing


@given(st.text(max_size=300))
def test_a_name_is_safe_or_refused(name: str) -> None:
    safe = None
    with contextlib.suppress(BadRequest):
        safe = safe_name(name)
    if safe is None:
        return
    assert safe and "/" not in safe and "\\" not in safe and safe not in (".", "..")
    assert safe[0] not in ".-" and safe.isprintable() and not set(safe) & set(" $`'\"|;&<>*?")
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    "name",
    ["../run.sh", "ä" * 128, "a" * 256, "/etc/passwd", "..", "a/b", "a\\b", "C:\\run.sh", "", None, "a\0b", "a\n"],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str | None) -> None:
    with pytest.raises(BadRequest, match=r"^file is"):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("run.sh", "run.sh"),
        ("my file (1).pdb", "my_file__1_.pdb"),
        ("-rf", "_rf"),
        (".profile", "_profile"),
        ("ä.txt", "ä.txt"),
    ],
)
def test_a_name_keeps_what_does_no_harm(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("value", ["", "  ", None, "a\0", "x" * 200])
def test_user_id_has_to_be_there(value: str | None) -> None:
    with pytest.raises(BadRequest, match=r"^user_id is"):
        checked_user(value)


@pytest.mark.parametrize("value", ["", None, "../x", "a b", "-a", "a" * 64])
def test_a_service_is_a_labels_value(value: str | None) -> None:
    with pytest.raises(BadRequest, match=r"^service is"):
        checked_service(value)


@given(st.text(max_size=30))
def test_an_id_is_a_number_that_postgres_takes(text: str) -> None:
    try:
        assert 0 < checked_id(text) < 2**63
    except Missing:
        assert not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63)


@pytest.mark.parametrize(
    ("user", "shown"),
    [("1", 1), ("-7", -7), ("0", 0), ("-0", "-0"), ("01", "01"), ("ann", "ann"), ("9" * 40, "9" * 40), ("²", "²")],
)
def test_a_number_is_shown_as_a_number(user: str, shown: int | str) -> None:
    assert shown_user(user) == shown


def test_the_limits_are_read_as_the_orchestrator_reads_them() -> None:
    limits = runs_per_user(
        {
            "SERVICE_EXAMPLE_RUNS_PER_USER": "7",
            "SERVICE_MY_TOOL_RUNS_PER_USER": "2",
            "SERVICE_disvis_RUNS_PER_USER": "3",
            "SERVICE_EXAMPLE_UPLOAD_URL": "http://client:9000/submit",
        }
    )
    assert (limits.of("example"), limits.of("my-tool"), limits.of("disvis"), limits.of("other")) == (
        7,
        2,
        3,
        RUNS_PER_USER,
    )


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1.5", "70000", "²"])
def test_a_limit_that_is_none_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(BadRequest, match=r"^SERVICE_A_RUNS_PER_USER is"):
        runs_per_user({"SERVICE_A_RUNS_PER_USER": value})
