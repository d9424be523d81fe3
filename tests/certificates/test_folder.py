"""A folder of certificates is replaced as a whole."""

import os
import ssl
from pathlib import Path

import pytest

from certs.files import ensure
from tests.certificates.house import MINUTE, SYSTEM, pair
from tests.support.fake_clock import FakeClock
from webhook.certificates import folder
from webhook.certificates.names import names_in


def made() -> dict[str, bytes]:
    _, tls = pair(names_in(SYSTEM), FakeClock().now(), MINUTE)
    return tls


def test_what_is_written_is_read(tmp_path: Path) -> None:
    files = made()
    folder.replace(tmp_path / "new" / "folder", files)
    assert folder.read(tmp_path / "new" / "folder") == files
    assert {name: (tmp_path / "new/folder" / name).read_bytes() for name in files} == files


def test_keys_are_readable_to_their_owner_alone(tmp_path: Path) -> None:
    folder.replace(tmp_path, made())
    now = folder.current(tmp_path)
    assert now.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in now.iterdir()} == {0o600}


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    files = made()
    assert folder.replace(tmp_path, files)
    before = folder.current(tmp_path)
    assert not folder.replace(tmp_path, files)
    assert folder.current(tmp_path) == before


def test_what_lay_there_before_is_replaced(tmp_path: Path) -> None:
    ensure(tmp_path)
    files = made()
    folder.replace(tmp_path, files)
    assert folder.read(tmp_path) == files
    assert all((tmp_path / name).is_symlink() for name in files)


def test_a_folder_that_others_fill_is_read_too(tmp_path: Path) -> None:
    ensure(tmp_path)
    assert folder.current(tmp_path) == tmp_path
    assert sorted(folder.read(tmp_path)) == ["ca.crt", "tls.crt", "tls.key"]
    assert folder.read(tmp_path / "nothing") == {}


def test_whoever_has_looked_up_the_folder_reads_a_pair_while_it_is_replaced(tmp_path: Path) -> None:
    folder.replace(tmp_path, made())
    now = folder.current(tmp_path)
    before = folder.read(tmp_path)
    folder.replace(tmp_path, made())
    assert {name: (now / name).read_bytes() for name in before} == before != folder.read(tmp_path)


def test_only_two_generations_are_kept_and_leftovers_of_a_killed_process_go(tmp_path: Path) -> None:
    (tmp_path / "..left").mkdir()
    (tmp_path / "..new-tls.crt").symlink_to("nowhere")
    for _ in range(4):
        folder.replace(tmp_path, made())
    assert sum(path.is_dir() and not path.is_symlink() for path in tmp_path.iterdir()) == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_symlink()) == [
        "..data",
        "ca.crt",
        "tls.crt",
        "tls.key",
    ]


@pytest.mark.parametrize("before", ["nothing", "plain files", "another generation"])
def test_at_no_moment_of_a_replacement_do_certificate_and_key_not_belong_together(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before == "plain files":
        ensure(tmp_path)
    elif before == "another generation":
        folder.replace(tmp_path, made())
    looks = 0

    def look() -> None:
        nonlocal looks
        now = folder.current(tmp_path)
        if (now / "tls.crt").exists():
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(now / "tls.crt", now / "tls.key")
            looks += 1

    def watched(source: Path, target: Path) -> None:
        look()
        os.rename(source, target)
        look()

    monkeypatch.setattr(os, "replace", watched)
    folder.replace(tmp_path, made())
    look()
    assert looks > 1
