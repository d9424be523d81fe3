"""The store, against a real S3 server: objects are there as a whole or not at all, whatever happens to the server."""

import dataclasses
import functools
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from tests.support.s3_server import S3Server
from webhook.doors.files.bundle import FOLDER, Bundle
from webhook.doors.files.form import Begin, Data, Event
from webhook.doors.files.zips import check_zip
from webhook.doors.pieces import Inbox
from webhook.doors.store import Reading, Store
from webhook.errors import BadRequest, StoreUnavailable
from webhook.model.limits.files import STORE_PART


def pieces(size: int) -> Iterator[bytes]:
    """Bytes that can't be packed, as they come from a client."""
    for _ in range(size // 65536):
        yield os.urandom(65536)


def read(store: Store, key: str) -> bytes:
    """An object."""
    found = store.read(key)
    assert found is not None
    return b"".join(iter(found.read, b""))


def bundled(store: Store, *files: tuple[str, bytes]) -> Bundle:
    """Files, stored as those of an upload."""
    bundle = Bundle()
    store.write("a/input.zip", bundle.pieces(events_of(*files), lambda: None))
    return bundle


def events_of(*files: tuple[str, bytes]) -> Iterator[Event]:
    """As the form tells of them, a few bytes at a time."""
    for name, data in files:
        yield Begin(name)
        yield from (Data(data[start : start + 7]) for start in range(0, len(data), 7))


def test_a_small_object_is_written_and_read(store: Store, s3: S3Server) -> None:
    store.write("a/b", iter([b"so", b"me"]))
    assert s3.keys == ["a/b"]
    assert (read(store, "a/b"), store.size("a/b"), store.read_range("a/b", 1, 2)) == (b"some", 4, b"om")


def test_a_large_object_is_sent_while_it_arrives(store: Store, s3: S3Server) -> None:
    wanted, begun = hashlib.sha256(), []

    def arriving() -> Iterator[bytes]:
        for number, piece in enumerate([*pieces(3 * STORE_PART), b"end"]):
            wanted.update(piece)
            begun.append(bool(s3.files) and number < 3 * STORE_PART // 65536)
            yield piece

    store.write("a/b", arriving())
    found = read(store, "a/b")
    assert (len(found), hashlib.sha256(found).digest()) == (3 * STORE_PART + 3, wanted.digest())
    assert any(begun)


def test_what_is_not_there_is_none(store: Store) -> None:
    assert (store.size("nothing"), store.read("nothing")) == (None, None)
    store.remove_one("nothing")
    store.remove("nothing")


@pytest.mark.parametrize("size", [65536, 2 * STORE_PART])
def test_nothing_is_left_of_an_object_that_is_given_up(store: Store, s3: S3Server, size: int) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(size)
        raise BadRequest("no more")

    with pytest.raises(BadRequest, match="no more"):
        store.write("a/b", broken())
    assert s3.files == []


def outcome(name: str) -> float:
    """How many objects' writes ended so."""
    labels = {"operation": "put", "outcome": name}
    return REGISTRY.get_sample_value("medea_store_request_seconds_count", labels) or 0.0


def test_a_bucket_that_is_gone_is_no_object_that_was_never_there(s3: S3Server) -> None:
    access = dataclasses.replace(s3.access, bucket="elsewhere")
    with pytest.raises(StoreUnavailable, match="no bucket elsewhere"):
        Store(access).size("a")


@pytest.mark.parametrize("error", [BadRequest("no more"), OSError("no more"), ValueError("no more")])
def test_what_its_source_raises_is_no_fault_of_the_store(store: Store, error: Exception) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise error

    before = {name: outcome(name) for name in ("given up", "unavailable")}
    with pytest.raises(type(error), match="no more"):
        store.write("a/b", broken())
    assert {name: outcome(name) - before[name] for name in before} == {"given up": 1, "unavailable": 0}


def test_a_folder_is_removed_and_no_other(store: Store, s3: S3Server) -> None:
    for key in ("a/b/one", "a/b/two", "a/bc/three"):
        store.write(key, iter([b"x"]))
    store.remove("a/b")
    assert s3.keys == ["a/bc/three"]


def test_a_server_that_is_killed_is_an_error_until_it_is_back(store: Store, s3: S3Server) -> None:
    def arriving() -> Iterator[bytes]:
        yield from pieces(2 * STORE_PART)
        s3.kill()
        yield from pieces(2 * STORE_PART)

    with pytest.raises(StoreUnavailable):
        store.write("a/b", arriving())
    with pytest.raises(StoreUnavailable):
        store.size("a/b")
    s3.start()
    store.remove("a")
    assert store.size("a/b") is None


def test_the_files_of_an_upload_are_one_zip_that_can_be_unpacked(store: Store) -> None:
    bundled(store, ("run.sh", b"echo"), ("empty", b""), ("ä.bin", os.urandom(10_000)))
    with zipfile.ZipFile(io.BytesIO(read(store, "a/input.zip"))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{FOLDER}/run.sh", f"{FOLDER}/empty", f"{FOLDER}/ä.bin"]
        assert archive.read(f"{FOLDER}/run.sh") == b"echo"
        assert archive.getinfo(f"{FOLDER}/run.sh").external_attr >> 16 == 0o100755


def test_two_files_of_one_name_are_refused(store: Store) -> None:
    with pytest.raises(BadRequest, match=r"^file is 'RUN.sh'"):
        bundled(store, ("run.sh", b"a"), ("RUN.sh", b"b"))


def zip_of(name: str, data: bytes) -> bytes:
    """A zip with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def test_a_zip_among_the_files_is_looked_into_where_it_is_stored(store: Store) -> None:
    bad = zip_of("b", zip_of("a", b"a"))
    good, wrong = bundled(store, ("run.sh", b"echo"), ("good.zip", zip_of("a", b"a")), ("bad.zip", bad)).zips
    assert (good.name, wrong.name) == ("good.zip", "bad.zip")
    read_range = functools.partial(store.read_range, "a/input.zip")
    check_zip(good, read_range, largest=10**6)
    with pytest.raises(BadRequest, match="is a zip again"):
        check_zip(wrong, read_range, largest=10**6)


def test_a_zip_is_found_by_its_beginning_its_end_or_its_name(store: Store) -> None:
    files = {"a": zip_of("a", b"a"), "b": b"#!/bin/sh\n" + zip_of("a", b"a"), "c.Zip": b"no zip", "d": b"no zip"}
    zips = bundled(store, *files.items()).zips
    assert [(one.name, one.is_certain) for one in zips] == [("a", True), ("b", False), ("c.Zip", False)]


@given(data=st.lists(st.binary(max_size=50), max_size=9), sizes=st.lists(st.integers(-1, 60), max_size=9))
def test_an_inbox_reads_as_a_file_does(data: list[bytes], sizes: list[int]) -> None:
    inbox, file = Inbox(iter(data)), io.BytesIO(b"".join(data))
    assert [inbox.read(size) for size in sizes] == [file.read(size) for size in sizes]


def test_a_download_that_breaks_off_is_an_error() -> None:
    class Broken:
        def read(self, _: int) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(StoreUnavailable, match="broke off"):
        Reading(cast("Any", Broken())).read()
