"""Keys and certificates as PEM. No error repeats what was read: it may be a key."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make_key() -> ec.EllipticCurvePrivateKey:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """The certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """All certificates, in their order. A `ValueError` if there is none, or one that can't be read."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ValueError("is not a certificate") from None


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """An elliptic curve key. A `ValueError` says what else it is."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not a private key that can be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("is not an elliptic curve key")
    return key


def is_pair(certificate: x509.Certificate, key: bytes) -> bool:
    """Whether the key, of any kind, is the certificate's. A `ValueError` if it is no key that can be read."""
    try:
        return serialization.load_pem_private_key(key, password=None).public_key() == certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not a private key that can be read") from None
