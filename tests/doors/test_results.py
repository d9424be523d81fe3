"""What a run has left becomes the results.zip, whatever names its files have, and never half of it."""

import gzip
import io
import os
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doors.files.world import packed
from webhook.doors.results import as_zip, inner_name
from webhook.errors import StoreUnavailable


def names(tgz: bytes) -> list[str]:
    """The names in the zip."""
    with zipfile.ZipFile(io.BytesIO(b"".join(as_zip(io.BytesIO(tgz))))) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_a_name_that_is_no_utf_8_is_no_end_of_a_download() -> None:
    latin = b"job/\xe4.txt".decode("utf-8", "surrogateescape")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(latin), io.BytesIO())
        tar.addfile(tarfile.TarInfo("job/b"), io.BytesIO())
    assert names(out.getvalue()) == ["\ufffd.txt", "b"]


def test_links_and_what_leads_out_are_left_out() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        link = tarfile.TarInfo("job/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("job/../../evil"), io.BytesIO())
        tar.addfile(tarfile.TarInfo("job/..\\evil"), io.BytesIO())
    assert names(out.getvalue()) == [".._evil"]


@pytest.mark.parametrize("end", [1, 9, 40, 600, 1050, 1600, 2050])
def test_a_tgz_that_breaks_off_is_no_zip(end: int) -> None:
    whole = packed({"a": b"x", "b": os.urandom(1000), "c": os.urandom(1000)})
    with pytest.raises(StoreUnavailable):
        names(whole[: len(whole) - end])


def test_results_of_very_many_files_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.results.MOST_ENTRIES_KEPT", 2000)
    assert names(packed({"a": b"", "b": b""})) == ["a", "b"]
    with pytest.raises(StoreUnavailable, match="too many results: 3 files"):
        names(packed({"a": b"", "b": b"", "c": b""}))


def header(
    name: str = "job/a", *, kind: bytes = tarfile.REGTYPE, size: int = 0, words: dict[str, str] | None = None
) -> bytes:
    """What a tar says of a file before its content of so many bytes; `words` as PAX has them."""
    about = tarfile.TarInfo(name)
    about.type, about.size = kind, size
    about.pax_headers = words or {}
    return about.tobuf(tarfile.PAX_FORMAT)


LONG = 4 * 1024 * 1024
HOLES = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
HOSTILE = {
    "a name without end": header(kind=tarfile.GNUTYPE_LONGNAME, size=LONG) + b"a" * LONG + header(),
    "words without end": header(words={"comment": "a" * LONG}),
    "holes without end": header(size=LONG, words=HOLES) + b"%d\n" % (LONG // 4) + b"1\n" * (LONG // 2),
    "holes as long as it likes": header(size=512, words={**HOLES, "GNU.sparse.realsize": str(2**62)})
    + b"1\n0\n0\n".ljust(512, b"\0")
    + bytes(1024),
    "words about words about words": header(words={"comment": "a"})[: -tarfile.BLOCKSIZE] * 2000 + header(),
    "content that is not there": header(kind=b"V", size=2**62),
    "a name that no zip can have": header(f"job/{'a' * 70_000}"),
}


@pytest.mark.parametrize("tar", HOSTILE.values(), ids=HOSTILE)
def test_what_is_said_of_a_file_neither_fills_the_memory_nor_takes_for_ever(tar: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        names(gzip.compress(tar))


def test_what_is_left_out_of_a_zip_may_be_as_long_as_it_likes() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("job/a", "job/a", "job/../../evil", "job/b"):
            about = tarfile.TarInfo(name)
            about.size = 1024 * 1024
            tar.addfile(about, io.BytesIO(bytes(about.size)))
    assert names(out.getvalue()) == ["a", "b"]


@given(st.text(max_size=40))
def test_a_name_stays_within_its_folder(name: str) -> None:
    found = inner_name(name)
    assert not found.startswith("/") and ".." not in found.split("/") and "\\" not in found
