"""A running server takes up a new certificate: nobody is cut off, and whoever connects next sees the new one."""

import contextlib
import http.client
import os
import shutil
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certs.files import ensure
from tests.server.conftest import Running, asked


def serial(connection: http.client.HTTPSConnection) -> str:
    """Of the certificate that the server shows on this connection, which is made now."""
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    return str((connection.sock.getpeercert() or {})["serialNumber"])


def trusting(server: Running, *authorities: str) -> http.client.HTTPSConnection:
    """A connection of somebody who trusts these, to be closed."""
    context = ssl.create_default_context(cadata="".join(authorities))
    return http.client.HTTPSConnection("localhost", server.port, timeout=20, context=context)


def renew(folder: Path, spare: Path) -> None:
    """Another certificate of the same authority and key, put in place at once."""
    shutil.copytree(folder, spare)
    (spare / "tls.crt").unlink()
    ensure(spare)
    os.replace(spare / "tls.crt", folder / "tls.crt")


def test_a_renewed_certificate_is_shown_to_whoever_connects_next_and_no_request_fails(
    server: Running, tmp_path: Path
) -> None:
    over = threading.Event()

    def ask_without_pause() -> set[str]:
        seen = set()
        while not over.is_set():
            with contextlib.closing(server.connection()) as connection:
                seen.add(serial(connection))
                assert asked(connection, "/readyz")[0] == 200
        return seen

    with contextlib.closing(server.connection()) as open_before, ThreadPoolExecutor(1) as others:
        shown = [serial(open_before)]
        asking = others.submit(ask_without_pause)
        for number in range(3):
            renew(tmp_path / "certs", tmp_path / f"spare-{number}")
            with contextlib.closing(server.connection()) as next_one:
                shown.append(serial(next_one))
        over.set()
        assert asking.result(20) <= set(shown)
        assert asked(open_before, "/readyz") == (200, "keep-alive")
    assert len(set(shown)) == 4


def test_a_new_authority_is_taken_up_and_a_pair_that_is_half_replaced_costs_only_new_connections(
    server: Running, tmp_path: Path
) -> None:
    folder = tmp_path / "certs"
    old = (folder / "ca.crt").read_text()
    fresh = ensure(tmp_path / "fresh")
    new = fresh.ca.read_text()
    with contextlib.closing(trusting(server, old)) as open_before:
        before = serial(open_before)
        os.replace(fresh.key, folder / "tls.key")
        with contextlib.closing(trusting(server, old, new)) as too_early, pytest.raises(OSError):
            serial(too_early)
        os.replace(fresh.certificate, folder / "tls.crt")
        for authorities in ((new,), (old, new)):
            with contextlib.closing(trusting(server, *authorities)) as connection:
                assert serial(connection) != before
                assert asked(connection, "/readyz")[0] == 200
        with contextlib.closing(trusting(server, old)) as late, pytest.raises(ssl.SSLCertVerificationError):
            serial(late)
        assert asked(open_before, "/readyz") == (200, "keep-alive")
