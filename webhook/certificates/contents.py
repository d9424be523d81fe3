"""What is in the Secrets: authorities in one, the serving certificate in the other. Pure.

People edit Secrets, so anything may be in them. What is wrong is told in words that never repeat a key.

    medea-authority   ca.crt, ca.key      the newest authority
                      old.crt, old.key    the one before, while both are trusted; its key may be lost
    medea-tls         tls.crt, tls.key    what Medea's servers show
                      ca.crt              the bundle: all authorities that are trusted

What cert-manager issues is in Secrets of its own, so that each of the two can begin while the other's pods still serve:

    medea-cert-manager-tls    tls.crt, tls.key, ca.crt    what Medea's servers show then, and its authority
"""

import base64
import binascii
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs import authority, pem
from webhook.model.objects import Object, mapping

Data = Mapping[str, bytes]
"""A Secret's data, decoded."""

NONE = "there was none"


@dataclass(frozen=True)
class Authority:
    """One authority; without its key it is trusted, and signs nothing any more."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)

    def can_sign(self, now: datetime.datetime) -> bool:
        """Whether it has its key, and is valid."""
        return self.key is not None and authority.valid(self.certificate, now)

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether that certificate is its work."""
        return authority.signed_by(certificate, self.certificate)

    def expired(self, now: datetime.datetime) -> bool:
        """Whether its time is over."""
        return now >= self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class Authorities:
    """The newest authority, and the one before it while both are trusted. `wrong` is why the newest can't sign."""

    newest: Authority | None
    older: Authority | None = None
    wrong: str | None = None


@dataclass(frozen=True)
class Serving:
    """A serving certificate with its key, as it is in the Secret."""

    certificate: x509.Certificate
    crt: bytes = field(repr=False)
    key: bytes = field(repr=False)


def decoded(value: object) -> bytes:
    """The bytes of a base64 text; empty if it is none."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def data_of(secret: Object | None) -> Data:
    """The data; what is not base64 counts as empty."""
    return {key: decoded(value) for key, value in mapping((secret or {}).get("data")).items()}


def read_authorities(data: Data) -> Authorities:
    """The authorities in the data of `medea-authority`."""
    newest, wrong = _authority(data, "ca")
    older, _ = _authority(data, "old")
    return Authorities(newest, older, wrong)


def authorities_data(newest: Authority, older: Authority | None) -> dict[str, bytes]:
    """The data of `medea-authority` for them."""
    data = {}
    for name, one in (("ca", newest), ("old", older)):
        if one:
            data[f"{name}.crt"] = pem.certificate_pem(one.certificate)
            if one.key:
                data[f"{name}.key"] = pem.key_pem(one.key)
    return data


def read_serving(data: Data) -> tuple[Serving | None, str | None]:
    """The serving certificate in the data of `medea-tls`; or None, and what is wrong with it."""
    crt, key = data.get("tls.crt", b""), data.get("tls.key", b"")
    if not crt and not key:
        return None, NONE
    try:
        certificate = pem.read_certificates(crt)[0]
    except ValueError as error:
        return None, f"tls.crt {error}"
    try:
        pair = pem.is_pair(certificate, key)
    except ValueError as error:
        return None, f"tls.key {error}"
    return (Serving(certificate, crt, key), None) if pair else (None, "tls.crt and tls.key do not belong together")


def read_bundle(bundle: bytes) -> list[x509.Certificate]:
    """The authorities in a bundle; none if it can't be read."""
    try:
        return pem.read_certificates(bundle)
    except ValueError:
        return []


def issuing_authorities(data: Data, now: datetime.datetime) -> list[x509.Certificate]:
    """The authorities of what cert-manager has issued, for as long as that is valid."""
    serving, _ = read_serving(data)
    if serving is None or not authority.valid(serving.certificate, now):
        return []
    return [one for one in read_bundle(data.get("ca.crt", b"")) if authority.signed_by(serving.certificate, one)]


def _authority(data: Data, name: str) -> tuple[Authority | None, str | None]:
    """The authority, as far as it can be read, and why it can't sign if it can't."""
    if f"{name}.crt" not in data and f"{name}.key" not in data:
        return None, NONE
    try:
        certificate = pem.read_certificates(data.get(f"{name}.crt", b""))[0]
    except ValueError as error:
        return None, f"{name}.crt {error}"
    if not authority.is_authority(certificate):
        return None, f"{name}.crt is not an authority's"
    try:
        key = pem.read_key(data.get(f"{name}.key", b""))
    except ValueError as error:
        return Authority(certificate), f"{name}.key {error}"
    if key.public_key() != certificate.public_key():
        return Authority(certificate), f"{name}.crt and {name}.key do not belong together"
    return Authority(certificate, key), None
