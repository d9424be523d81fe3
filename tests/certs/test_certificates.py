"""The files that `python -m certs` keeps."""

import datetime
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store

from certs.files import NAMES, CertsError, Files, ensure

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _verify(files: Files, name: str, at: datetime.datetime) -> None:
    verifier = PolicyBuilder().store(Store([_load(files.ca)])).time(at).build_server_verifier(x509.DNSName(name))
    verifier.verify(_load(files.certificate), [])


def test_the_chain_verifies_for_every_name(tmp_path: Path) -> None:
    files = ensure(tmp_path, now=NOW)
    for name in NAMES:
        _verify(files, name, NOW)
    with pytest.raises(x509.verification.VerificationError):
        _verify(files, "elsewhere", NOW)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_strict_client_shakes_hands(tmp_path: Path, name: str) -> None:
    files = ensure(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(files.certificate, files.key)
    client_side = ssl.create_default_context(cafile=files.ca)
    # On by default from Python 3.13, which is what the image is made of.
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    here, there = socket.socketpair()

    def answer() -> None:
        server_side.wrap_socket(there, server_side=True).close()

    thread = threading.Thread(target=answer)
    thread.start()
    with client_side.wrap_socket(here, server_hostname=name) as connected:
        assert connected.version() == "TLSv1.3"
    thread.join()


def test_the_names_are_medeas_service_and_this_machine_by_default(tmp_path: Path) -> None:
    names = _load(ensure(tmp_path).certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_the_names_are_those_asked_for(tmp_path: Path) -> None:
    files = ensure(tmp_path, names=["a.example"], ips=["10.0.0.1", "fd00::1"])
    names = _load(files.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    assert {str(ip) for ip in names.get_values_for_type(x509.IPAddress)} == {"10.0.0.1", "fd00::1"}


def test_keys_are_readable_to_their_owner_alone(tmp_path: Path) -> None:
    ensure(tmp_path / "new" / "folder")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "folder").iterdir()}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "tls.crt": 0o644, "tls.key": 0o600}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    ensure(tmp_path, now=NOW)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert ensure(tmp_path, now=NOW + 200 * DAY).did == ()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("days", "renewed"), [(243, False), (244, True), (366, True), (-1, True)])
def test_a_certificate_is_renewed_when_less_than_a_third_of_its_life_is_left(
    tmp_path: Path, days: int, renewed: bool
) -> None:
    ensure(tmp_path, now=NOW - DAY)
    now = NOW - DAY + days * DAY if days > 0 else NOW - DAY - datetime.timedelta(minutes=4)
    before = (tmp_path / "ca.crt").read_bytes()
    files = ensure(tmp_path, now=now)
    assert files.did == (("made tls.crt: less than a third of its life is left",) if renewed and days > 0 else ())
    assert (tmp_path / "ca.crt").read_bytes() == before
    _verify(files, "localhost", now)


def test_a_renewal_changes_one_file_so_that_no_server_reads_half_a_pair(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (ensure(tmp_path, now=NOW).ca.parent).iterdir()}
    ensure(tmp_path, now=NOW + 300 * DAY)
    assert [path.name for path, content in before.items() if path.read_bytes() != content] == ["tls.crt"]


@pytest.mark.parametrize(
    "asked", [{"names": ["other"]}, {"names": [*NAMES, "more"]}, {"names": NAMES[:1]}, {"ips": ["10.0.0.1"]}]
)
def test_other_names_mean_a_new_certificate(tmp_path: Path, asked: Any) -> None:
    ensure(tmp_path, now=NOW)
    assert ensure(tmp_path, now=NOW, **asked).did == ("made tls.crt: it holds other names",)
    assert ensure(tmp_path, now=NOW, **asked).did == ()


def test_the_order_of_names_means_nothing(tmp_path: Path) -> None:
    ensure(tmp_path, names=["a", "b"])
    assert ensure(tmp_path, names=["b", "a", "a"]).did == ()


def test_an_expired_authority_is_replaced_and_signs_anew(tmp_path: Path) -> None:
    ensure(tmp_path, now=NOW)
    later = NOW + 3651 * DAY
    files = ensure(tmp_path, now=later)
    assert [line.split(":")[0] for line in files.did] == ["made ca.crt", "made tls.crt"]
    _verify(files, "localhost", later)


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    ensure(tmp_path, now=NOW)
    files = ensure(tmp_path, now=NOW + 3600 * DAY)
    assert _load(files.certificate).not_valid_after_utc == _load(files.ca).not_valid_after_utc


def test_a_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    ensure(tmp_path, now=NOW)
    for name in ("ca.crt", "ca.key"):
        (tmp_path / name).unlink()
    files = ensure(tmp_path, now=NOW)
    assert files.did[-1] == "made tls.crt: another authority signed it"
    _verify(files, "localhost", NOW)


def test_a_lost_serving_key_means_a_new_pair(tmp_path: Path) -> None:
    ensure(tmp_path, now=NOW).key.unlink()
    files = ensure(tmp_path, now=NOW)
    assert files.did == ("made tls.key: there was none", "made tls.crt: it is for another key")
    _verify(files, "localhost", NOW)


def test_an_authority_without_its_key_is_never_replaced_silently(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(CertsError, match=r"ca\.crt has no ca\.key beside it"):
        ensure(tmp_path)


def test_an_authority_with_another_key_is_refused(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "ca.key").write_bytes((tmp_path / "tls.key").read_bytes())
    with pytest.raises(CertsError, match="do not belong together"):
        ensure(tmp_path)


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
def test_a_file_of_garbage_is_named(tmp_path: Path, name: str) -> None:
    ensure(tmp_path)
    (tmp_path / name).write_text("garbage")
    with pytest.raises(CertsError, match=name):
        ensure(tmp_path)


def test_a_key_of_another_kind_is_named(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CertsError, match=r"tls\.key is not an elliptic curve key"):
        ensure(tmp_path)


@pytest.mark.parametrize(
    "asked",
    [{"names": ["größe"]}, {"names": [""]}, {"names": ["a b"]}, {"ips": ["300.1.1.1"]}, {"names": [], "ips": []}],
)
def test_a_wrong_name_is_refused_before_anything_is_written(tmp_path: Path, asked: Any) -> None:
    with pytest.raises(CertsError):
        ensure(tmp_path, **asked)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "certs", "--out", str(tmp_path), "--name", "medea.test", "--ip", "10.0.0.1"]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first.splitlines()[-1] == "made tls.crt: there was none"
    assert second == f"{tmp_path}/tls.crt is good\n"


def test_the_command_ends_with_one_line_when_it_cannot(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "certs", "--out", str(tmp_path), "--ip", "localhost"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("certs: 'localhost' does not appear to be")
