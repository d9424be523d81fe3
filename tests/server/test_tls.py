"""TLS as a door speaks it: certificates can be renewed while it runs, and whoever falls silent is let go."""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certs.files import ensure
from tests.server.conftest import Running, asked
from webhook.doors.patience import give_time
from webhook.errors import MedeaError
from webhook.model.limits.server import SERVER_SILENCE
from webhook.server.tls import Tls


def test_what_is_missing_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").touch()
    with pytest.raises(MedeaError, match=r"MEDEA_CERTS is .*, where tls.key is missing"):
        Tls("MEDEA_CERTS", tmp_path).check()
    (tmp_path / "tls.key").touch()
    Tls("MEDEA_CERTS", tmp_path).check()
    with pytest.raises(MedeaError, match="authority of clients' certificates is missing"):
        Tls("MEDEA_LOGS_CERTS", tmp_path, tmp_path / "ca.crt").check()


@pytest.mark.parametrize(
    ("clients", "required", "mode"),
    [(False, False, ssl.CERT_NONE), (True, False, ssl.CERT_OPTIONAL), (True, True, ssl.CERT_REQUIRED)],
)
def test_clients_are_asked_for_a_certificate_as_told(
    tmp_path: Path, clients: bool, required: bool, mode: ssl.VerifyMode
) -> None:
    files = ensure(tmp_path)
    tls = Tls("MEDEA_CERTS", tmp_path, files.ca if clients else None, required=required)
    assert tls.context().verify_mode == mode


def test_a_request_has_a_deadline_and_what_an_application_reads_later_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ensure(tmp_path)
    monkeypatch.setattr("webhook.server.tls.SERVER_REQUEST", -1.0)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        there = socket.create_connection(server.getsockname()[:2], timeout=20)
        client = ssl.create_default_context(cafile=str(files.ca))
        asking = pool.submit(client.wrap_socket, there, server_hostname="localhost")
        here = Tls("MEDEA_CERTS", tmp_path).context().wrap_socket(server.accept()[0], server_side=True)
        with here, asking.result(20) as asked:
            here.setblocking(True)
            asked.sendall(b"late")
            with pytest.raises(TimeoutError, match="took too long"):
                here.recv(4)
            late = bytearray(4)
            assert (here.recv_into(late), bytes(late)) == (4, b"late")


def _serial(server: Running, ca: Path) -> str:
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(ca))
    with (
        socket.create_connection(("localhost", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return str((tls.getpeercert() or {})["serialNumber"])


def test_a_renewed_certificate_is_shown_to_the_next_connection_and_cuts_no_other(server: Running) -> None:
    folder = server.ca.parent
    with contextlib.closing(server.connection()) as kept:
        assert asked(kept, "/readyz") == (200, "keep-alive")
        before = _serial(server, server.ca)
        (folder / "tls.crt").unlink()
        ensure(folder)
        after = _serial(server, server.ca)
        assert after != before
        assert asked(kept, "/readyz") == (200, "keep-alive")


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01\x02\x00\x01\x00", None], ids=["within the greeting", "within a request"]
)
def test_who_falls_silent_is_let_go(server: Running, said: bytes | None) -> None:
    with socket.create_connection(("localhost", server.port), timeout=20) as plain:
        began = time.monotonic()
        if said:
            plain.sendall(said)
            assert plain.recv(1) == b""
        else:
            context = ssl.create_default_context(cafile=str(server.ca))
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(b"POST /mutate HTTP/1.1\r\nHost: medea\r\nContent-Length: 9\r\n\r\n{")
                assert b"HTTP/1.1 200" not in tls.recv(4096)
        assert time.monotonic() - began >= SERVER_SILENCE - 0.5


@contextlib.contextmanager
def _connected(folder: Path) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of a TLS connection: the door's and its client's."""
    files = ensure(folder)
    ours, theirs = socket.socketpair()
    trusting = ssl.create_default_context(cafile=str(files.ca))
    with ours, theirs, ThreadPoolExecutor(1) as client:
        other = client.submit(trusting.wrap_socket, theirs, server_hostname="localhost")
        with Tls("MEDEA_CERTS", folder).context().wrap_socket(ours, server_side=True) as door, other.result(20) as end:
            yield door, end


def test_a_request_that_comes_in_drops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _connected(tmp_path) as (door, client):
        door.setblocking(True)
        client.sendall(b"GET")
        assert door.recv(3) == b"GET"
        monkeypatch.setattr("webhook.server.tls.SERVER_REQUEST", -1.0)
        door.setblocking(True)
        client.sendall(b" ")
        with pytest.raises(TimeoutError, match="took too long"):
            door.recv(1)


def test_a_request_is_given_more_time_and_the_next_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.server.tls.SERVER_REQUEST", -1.0)
    with _connected(tmp_path) as (door, client):
        client.sendall(b"uploads")
        door.setblocking(True)
        give_time({"gunicorn.socket": door}, silence=20.0, whole=60.0)
        assert (door.recv(6), door.gettimeout()) == (b"upload", 20.0)
        door.setblocking(True)
        assert door.gettimeout() == SERVER_SILENCE
        with pytest.raises(TimeoutError, match="took too long"):
            door.recv(1)


def test_the_health_of_the_process_is_on_a_port_of_its_own(server: Running) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=20)) as plain:
        for path in ("/readyz", "/healthz", "/metrics"):
            plain.request("GET", path)
            answer = plain.getresponse()
            answer.read()
            assert answer.status == 200
