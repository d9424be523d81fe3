"""The webhook's door, where the apiserver's client certificate is pinned: nobody else's review is looked at."""

import contextlib
import datetime
import http.client
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.server.conftest import Running, running
from tests.server.test_stop import REVIEW


class Authority:
    """Signs certificates of clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def client(self, name: str) -> Path:
        """A file with a client's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self._name, key.public_key())
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = builder.add_extension(usages, critical=False).sign(self._key, hashes.SHA256())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{self.file.stem}-{name}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
        return file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    day = datetime.timedelta(days=1)
    return builder.not_valid_before(now - day).not_valid_after(now + day)


def asked(server: Running, path: str, client: Path | None, body: object = None) -> int:
    """The status for a client with this certificate."""
    context = ssl.create_default_context(cafile=str(server.ca))
    if client:
        context.load_cert_chain(client)
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=context)
    with contextlib.closing(connection):
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_reviews_come_from_the_holder_of_the_pinned_certificate_alone(tmp_path: Path) -> None:
    clusters, others = Authority(tmp_path, "clusters"), Authority(tmp_path, "others")
    settings = {"MEDEA_WEBHOOK_CLIENT_CA": str(clusters.file), "MEDEA_WEBHOOK_CLIENT_NAME": "apiserver"}
    with running(tmp_path, **settings) as server, ThreadPoolExecutor(1) as threads:
        # Probes have none.
        assert asked(server, "/readyz", None) == 200
        assert asked(server, "/mutate", None, REVIEW) == 403
        assert asked(server, "/mutate", clusters.client("system:node:a"), REVIEW) == 403
        # A name is only worth what its authority is worth.
        with pytest.raises((ssl.SSLError, ConnectionError)):
            asked(server, "/mutate", others.client("apiserver"), REVIEW)
        review = threads.submit(asked, server, "/mutate", clusters.client("apiserver"), REVIEW)
        assert server.begun.read_text() == "begun"
        server.go_on.write_text("go on")
        assert review.result(20) == 200
