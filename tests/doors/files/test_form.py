"""Multipart bodies are read piece by piece; what is too much or malformed is refused by name."""

import contextlib
import io
from typing import IO, cast

import pytest
from gunicorn.http.errors import InvalidChunkSize
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import ClientDisconnected

from tests.doors.files.forms import BOUNDARY, CONTENT_TYPE, Drops, Part, body, upload
from webhook.doors.files.form import Begin, Data, Value, boundary_of, read_form
from webhook.errors import BadRequest, TooLarge
from webhook.model.limits.files import MOST_FILES

LARGEST = 1000


def read(data: bytes, piece: int = 65536, largest: int = LARGEST) -> list[Part]:
    """The parts of a body."""
    found: list[Part] = []
    for event in read_form(cast("IO[bytes]", Drops(data, piece)), BOUNDARY, largest_file=largest):
        if isinstance(event, Begin):
            found.append(("file", event.name, b""))
        elif isinstance(event, Data):
            name, file, before = found.pop()
            found.append((name, file, before + event.data))
        else:
            assert isinstance(event, Value)
            found.append((event.name, None, event.text.encode()))
    return found


_FILES = st.tuples(st.just("file"), st.from_regex(r"\A[a-z .]{1,9}\Z"), st.binary(max_size=300))
_FIELDS = st.tuples(st.sampled_from(["user_id", "service"]), st.none(), st.text("abc é", max_size=9).map(str.encode))


@given(parts=st.lists(_FILES | _FIELDS, max_size=5), piece=st.integers(1, 400))
def test_what_is_sent_arrives_however_it_is_cut(parts: list[Part], piece: int) -> None:
    assert read(body(parts), piece) == parts


@given(data=st.binary(max_size=300), piece=st.integers(1, 50))
def test_any_bytes_are_a_form_or_refused(data: bytes, piece: int) -> None:
    with contextlib.suppress(BadRequest):
        read(data, piece)


@pytest.mark.parametrize("end", range(3, 60, 7))
def test_a_body_that_breaks_off_is_refused(end: int) -> None:
    with pytest.raises(BadRequest, match=r"breaks off"):
        read(upload(("run.sh", b"echo"))[:-end])


@pytest.mark.parametrize("error", [TimeoutError("too slow"), ClientDisconnected(), InvalidChunkSize(b"zz")])
def test_a_client_that_is_gone_is_the_bodys_fault(error: Exception) -> None:
    class Broken(Drops):
        def read(self, _: int = -1) -> bytes:
            raise error

    with pytest.raises(BadRequest, match="the body breaks off"):
        list(read_form(cast("IO[bytes]", Broken(b"", 1)), BOUNDARY, largest_file=1))


def test_a_file_that_is_too_large_is_refused() -> None:
    assert read(upload(("a", b"x" * LARGEST)))
    with pytest.raises(TooLarge, match=r"^file is 'a': a file may have 1000 bytes"):
        read(upload(("a", b"x" * (LARGEST + 1))))


def test_many_files_that_are_too_large_together_are_refused() -> None:
    with pytest.raises(TooLarge, match=r"all files together may have 4000000 bytes"):
        read(upload(*((f"a{number}", b"x" * 900_000) for number in range(9))), largest=10**6)


def test_ten_thousand_files_are_refused() -> None:
    files = [(f"a{number}", b"") for number in range(10_000)]
    with pytest.raises(TooLarge, match=rf"at most {MOST_FILES} files") as refused:
        read(upload(*files), largest=10**9)
    assert refused.value.details["field"] == "file"


def test_a_field_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"^user_id is"):
        read(upload(("a", b""), user="1" * 2000), largest=10**6)


def test_a_file_by_another_name_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"^data is 'run.sh': files are sent as `file`"):
        read(body([("data", "run.sh", b"echo")]))


def test_a_field_is_utf_8() -> None:
    with pytest.raises(BadRequest, match=r"^user_id is"):
        read(body([("user_id", None, b"\xff")]))


@pytest.mark.parametrize("kind", [None, "", "application/json", "multipart/form-data", "multipart/mixed; boundary=a"])
def test_anything_but_a_form_is_refused(kind: str | None) -> None:
    with pytest.raises(BadRequest, match=r"^header Content-Type is"):
        boundary_of(kind)


def test_the_boundary_is_read() -> None:
    assert boundary_of("Multipart/Form-Data; Boundary=x") == "x"
    assert boundary_of(CONTENT_TYPE) == BOUNDARY
    assert list(read_form(io.BytesIO(f"--{BOUNDARY}--\r\n".encode()), BOUNDARY, largest_file=1)) == []
