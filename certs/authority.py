"""What the certificates say: pure functions from keys, names and a time."""

import datetime
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = datetime.timedelta(days=3650)
"""The authority is copied into webhook configurations and agent pods, so changing it is work."""
SERVING_LIFE = datetime.timedelta(days=365)
"""Apple's and browsers' own limits begin just above a year."""
_BACKDATED = datetime.timedelta(minutes=5)
"""For machines whose clocks are a little behind this one's; at most a tenth of the certificate's life."""

Names = frozenset[x509.GeneralName]


def subjects(names: Iterable[str], ips: Iterable[str]) -> Names:
    """The names a certificate shall hold; a `ValueError` tells which of them is none."""
    found: set[x509.GeneralName] = set()
    for name in names:
        if not name or not name.isascii() or " " in name:
            raise ValueError(f"{name!r} is not a DNS name")
        found.add(x509.DNSName(name))
    found |= {x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips}
    if not found:
        raise ValueError("a certificate needs at least one name or address")
    return frozenset(found)


def make_authority(
    key: ec.EllipticCurvePrivateKey, now: datetime.datetime, life: datetime.timedelta = AUTHORITY_LIFE
) -> x509.Certificate:
    """A certificate that vouches for itself and may sign others."""
    name = _name("Medea's own authority")
    builder = _start(name, name, key.public_key(), _begin(now, life), now + life)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def make_serving(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    public_key: ec.EllipticCurvePublicKey,
    names: Names,
    now: datetime.datetime,
    life: datetime.timedelta = SERVING_LIFE,
) -> x509.Certificate:
    """A server's certificate for these names, never longer valid than its authority."""
    end = min(now + life, authority.not_valid_after_utc)
    builder = _start(_name("medea"), authority.subject, public_key, _begin(now, end - now), end)
    signer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension, critical in (
        # Python 3.13 and newer refuse a chain in which any of these is missing.
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(sorted(names, key=repr)), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority_key, hashes.SHA256())


def valid(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether it may be used now."""
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def due(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    public_key: ec.EllipticCurvePublicKey,
    names: Names,
    now: datetime.datetime,
) -> str | None:
    """Why this serving certificate must be made anew; None when it is good."""
    if certificate.public_key() != public_key:
        return "it is for another key"
    if not signed_by(certificate, authority):
        return "another authority signed it"
    if names_of(certificate) != names:
        return "it holds other names"
    if spent(certificate, now):
        return "less than a third of its life is left"
    return None


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether this authority's key signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def spent(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether less than a third of its life is left, or it has not begun."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < begin or (end - now) * 3 < end - begin


def names_of(certificate: x509.Certificate) -> Names:
    """The names that it holds; none if they can't be read."""
    try:
        return frozenset(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether others may be signed with its key."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(now: datetime.datetime, life: datetime.timedelta) -> datetime.datetime:
    return now - min(_BACKDATED, life / 10)


def _start(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: CertificatePublicKeyTypes,
    begin: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
