"""The certificates as files: made when missing, renewed when due, otherwise left alone."""

import datetime
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs import authority, pem

NAMES = ("medea.medea-system.svc", "medea-plugin.medea-system.svc", "medea-api.medea-system.svc", "localhost")
IPS = ("127.0.0.1",)


class CertsError(Exception):
    """The files or the names are not usable; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where everything is, and what this run did."""

    ca: Path
    certificate: Path
    key: Path
    did: tuple[str, ...]
    """One line for each file that was made, with the reason; empty when all was good."""


def ensure(
    folder: Path, *, names: Sequence[str] = NAMES, ips: Sequence[str] = IPS, now: datetime.datetime | None = None
) -> Files:
    """Bring ca.crt, ca.key, tls.crt and tls.key in this folder to what is asked."""
    now = now or datetime.datetime.now(datetime.UTC)
    try:
        wanted = authority.subjects(names, ips)
    except ValueError as error:
        raise CertsError(str(error)) from None
    folder.mkdir(parents=True, exist_ok=True)
    did: list[str] = []
    ca, ca_key = _authority(folder, now, did)
    key = _key(folder / "tls.key", did)
    certificate = folder / "tls.crt"
    why = _due(certificate, ca, key, wanted, now)
    if why is not None:
        made = authority.make_serving(ca, ca_key, key.public_key(), wanted, now)
        write_whole(certificate, pem.certificate_pem(made), 0o644)
        did.append(f"made tls.crt: {why}")
    return Files(ca=folder / "ca.crt", certificate=certificate, key=folder / "tls.key", did=tuple(did))


def _authority(
    folder: Path, now: datetime.datetime, did: list[str]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path = folder / "ca.crt"
    if path.exists() and not (folder / "ca.key").exists():
        raise CertsError(f"{path} has no ca.key beside it: put it there, or remove ca.crt to make a new authority")
    key = _key(folder / "ca.key", did)
    why = "there was none"
    if path.exists():
        found = _read(path)
        if found.public_key() != key.public_key():
            raise CertsError(f"{path} and ca.key do not belong together: remove both to make a new authority")
        if authority.valid(found, now):
            return found, key
        why = "it was not valid any more"
    made = authority.make_authority(key, now)
    write_whole(path, pem.certificate_pem(made), 0o644)
    did.append(f"made ca.crt: {why}")
    return made, key


def _due(
    path: Path,
    ca: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    wanted: authority.Names,
    now: datetime.datetime,
) -> str | None:
    if not path.exists():
        return "there was none"
    return authority.due(_read(path), ca, key.public_key(), wanted, now)


def _read(path: Path) -> x509.Certificate:
    try:
        return pem.read_certificates(path.read_bytes())[0]
    except ValueError as error:
        raise CertsError(f"{path} {error}") from None


def _key(path: Path, did: list[str]) -> ec.EllipticCurvePrivateKey:
    # Kept across renewals: the certificate is then the only file that changes, and no server ever reads half a pair.
    if not path.exists():
        made = pem.make_key()
        write_whole(path, pem.key_pem(made), 0o600)
        did.append(f"made {path.name}: there was none")
        return made
    try:
        return pem.read_key(path.read_bytes())
    except ValueError as error:
        raise CertsError(f"{path} {error}: remove it to make a new one") from None


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """The whole file or nothing, and never readable to others for a moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
