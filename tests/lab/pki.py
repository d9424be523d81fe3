"""The laboratory's certificate authority, the certificates it issues, and kubeconfigs made of them."""

import base64
import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.layout import KUBE, PKI, Cluster

CA = PKI / "ca.crt"
CA_KEY = PKI / "ca.key"
SERVICE_ACCOUNT_KEY = PKI / "service-accounts.key"
_LIFE = datetime.timedelta(days=3650)


def ensure_authority() -> None:
    """Make the authority and the key that signs ServiceAccount tokens, once."""
    PKI.mkdir(parents=True, exist_ok=True)
    if not SERVICE_ACCOUNT_KEY.exists():
        _write_key(SERVICE_ACCOUNT_KEY, ec.generate_private_key(ec.SECP256R1()))
    if CA.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("medea-lab")
    builder = _builder(subject, subject, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(usage, critical=True)
    _write_key(CA_KEY, key)
    _write(CA, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def issue(name: str, user: str, groups: Sequence[str] = (), hosts: Sequence[str] = ()) -> tuple[Path, Path]:
    """A certificate and its key, for a client and for a server at `hosts`; made once per `name`."""
    certificate, key_file = PKI / f"{name}.crt", PKI / f"{name}.key"
    if certificate.exists() and key_file.exists():
        return certificate, key_file
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate(CA.read_bytes())
    builder = _builder(_name(user, groups), authority.subject, key.public_key())
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(usages, critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    signer = serialization.load_pem_private_key(CA_KEY.read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not the kind that this module makes")
    _write_key(key_file, key)
    _write(certificate, builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return certificate, key_file


def kubeconfig(
    cluster: Cluster,
    user: str,
    groups: Sequence[str] = (),
    *,
    namespace: str = "default",
    path: Path | None = None,
) -> Path:
    """A kubeconfig for any user in any groups; it carries its certificates, so it can be copied anywhere."""
    label = f"{cluster.name}-{user}".replace(":", "-").replace("/", "-")
    target = path or KUBE / f"{label}.kubeconfig"
    if target.exists():
        return target
    certificate, key = issue(label, user, groups)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster.name,
        "clusters": [
            {"name": cluster.name, "cluster": {"server": cluster.api_url, "certificate-authority-data": _data(CA)}}
        ],
        "users": [
            {"name": user, "user": {"client-certificate-data": _data(certificate), "client-key-data": _data(key)}}
        ],
        "contexts": [
            {"name": cluster.name, "context": {"cluster": cluster.name, "user": user, "namespace": namespace}}
        ],
    }
    _write(target, yaml.safe_dump(content, sort_keys=False).encode(), mode=0o600)
    return target


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    # An hour back: clocks of a restored machine may be a little behind.
    return builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + _LIFE)


def _name(user: str, groups: Sequence[str] = ()) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    _write(path, pem, mode=0o600)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    # Renamed into place: an `up` that is killed midway must not leave half a key behind.
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.rename(path)
