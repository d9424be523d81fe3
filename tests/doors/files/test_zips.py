"""Zips among the files: bombs, zips in zips and tricks with paths are refused, and others are not."""

import contextlib
import io
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.files.bundle import Inside
from webhook.doors.files.zips import Entry, check_zip, check_zips, trouble
from webhook.errors import BadRequest
from webhook.model.limits.files import INSPECTED, MOST_FILES, MOST_PACKED, MOST_ZIPPED

LARGEST = 2 * 1024**3
_NAMES = st.text("ab./\\ :\n", min_size=1, max_size=12)


def packed(files: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def check(data: bytes, largest: int = LARGEST, *, is_certain: bool = True) -> None:
    """Check a zip that is somewhere in an object."""
    whole = b"before" + data + b"after"
    inside = Inside("a.zip", 6, len(data), is_certain)
    check_zip(inside, lambda start, size: whole[start : start + size], largest=largest)


@given(st.dictionaries(st.from_regex(r"\A[a-z]{1,5}(/[a-z]{1,5})?\Z"), st.binary(max_size=500), max_size=6))
def test_an_honest_zip_is_taken(files: dict[str, bytes]) -> None:
    check(packed({name: b"-" + data for name, data in files.items()}))


@pytest.mark.parametrize("name", ["inner.zip", "notes.txt"])
def test_a_zip_in_a_zip_is_refused_whatever_its_name(name: str) -> None:
    with pytest.raises(BadRequest, match="is a zip again") as refused:
        check(packed({"a": b"a", name: packed({"b": b"b"})}))
    assert refused.value.details["field"] == "file"


def test_what_is_called_a_zip_in_a_zip_is_refused_too() -> None:
    with pytest.raises(BadRequest, match="is a zip again"):
        check(packed({"a.ZIP": b"#!/bin/sh\n" + packed({"b": b"b"})}))


def test_what_is_encrypted_is_refused_since_nobody_can_look_into_it() -> None:
    data = bytearray(packed({"a": b"a"}))
    for start in (6, data.index(b"PK\x01\x02") + 8):
        data[start] |= 1
    with pytest.raises(BadRequest, match="is encrypted"):
        check(bytes(data))


def test_a_zip_after_something_else_is_one_all_the_same() -> None:
    inner = b"#!/bin/sh\nexit\n" + packed({"../a": b"a"})
    with pytest.raises(BadRequest, match="leads out"):
        check(inner, is_certain=False)


def test_what_only_looked_like_a_zip_is_taken() -> None:
    check(b"PK\x05\x06 is how they end", is_certain=False)


def test_zips_are_counted_together() -> None:
    small = packed({"zeros": bytes(60 * 1024 * 1024)})
    where = [Inside(f"{number}.zip", 0, len(small)) for number in range(3)]
    check_zips(where[:1], lambda start, size: small[start : start + size], largest=LARGEST)
    with pytest.raises(BadRequest, match=r"^file is '1.zip': the zips so far unpack to 125829120 bytes"):
        check_zips(where, lambda start, size: small[start : start + size], largest=LARGEST)
    many = packed({f"a{number}": b"" for number in range(MOST_FILES)})
    where = [Inside(f"{number}.zip", 0, len(many)) for number in range(MOST_ZIPPED // MOST_FILES + 1)]
    with pytest.raises(BadRequest, match=f"may have {MOST_ZIPPED} files together"):
        check_zips(where, lambda start, size: many[start : start + size], largest=LARGEST)


def test_a_bomb_is_refused_by_what_it_says_it_unpacks_to() -> None:
    bomb = packed({"zeros": bytes(80 * 1024 * 1024)})
    with pytest.raises(BadRequest, match="more than 100 times its own"):
        check(bomb)
    with pytest.raises(BadRequest, match="and may to 1000"):
        check(bomb, largest=1000)


def test_a_small_zip_may_be_packed_well() -> None:
    check(packed({"zeros": bytes(1024 * 1024)}))


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "..\\a", "C:a", "a\nb"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="leads out"):
        check(packed({name: b"a"}))


def test_a_link_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("passwords")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadRequest, match="has a link"):
        check(out.getvalue())


def test_a_zip_with_very_many_files_is_refused() -> None:
    with pytest.raises(BadRequest, match=f"and may have {MOST_FILES}"):
        check(packed({f"a{number}": b"" for number in range(MOST_FILES + 1)}))


def test_what_takes_much_memory_to_unpack_is_refused() -> None:
    with pytest.raises(BadRequest, match="by another method than deflate"):
        check(packed({"a": b"a"}, zipfile.ZIP_LZMA))


def test_a_directory_that_would_fill_the_memory_is_not_read() -> None:
    data = packed({"a" * 60_000 + str(number): b"" for number in range(20)})
    with pytest.raises(BadRequest, match="at once are too much"):
        check(data)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_zip_is_taken_or_refused(damages: list[tuple[int, int]]) -> None:
    data = bytearray(packed({"a.txt": b"hello world" * 50, "b/c": b"x" * 1000, "ü": b""}))
    for place, byte in damages:
        data[place % len(data)] = byte
    with contextlib.suppress(BadRequest):
        check(bytes(data))


def test_a_file_that_can_not_be_unpacked_is_refused() -> None:
    data = bytearray(packed({"a": b"hello world" * 50}))
    # Where its packed bytes begin: a kind of block that there is not.
    data[31] = 0xFF
    with pytest.raises(BadRequest, match="it is no zip that can be read"):
        check(bytes(data))


@given(st.binary(max_size=400))
def test_anything_is_taken_or_refused(tail: bytes) -> None:
    good = packed({"run.sh": b"echo"})
    for data in (b"PK\x03\x04" + tail, good[: len(good) // 2] + tail, good + tail):
        with contextlib.suppress(BadRequest):
            check(data)


@given(
    entries=st.lists(st.builds(Entry, _NAMES, st.integers(0, 10**12), st.booleans()), max_size=5),
    size=st.integers(1, 10**9),
)
def test_what_is_taken_stays_in_its_folder_and_its_size(entries: list[Entry], size: int) -> None:
    if trouble(entries, size, LARGEST) is None:
        total = sum(entry.size for entry in entries)
        assert total <= LARGEST and (total <= INSPECTED or total <= MOST_PACKED * size)
        assert not any(entry.is_link or ".." in entry.name.replace("\\", "/").split("/") for entry in entries)
