"""What is in the Secrets is read as it is, whoever wrote it."""

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.client import Configuration
from pydantic import ValidationError

from certs import pem
from tests.certificates.house import MINUTE, SYSTEM, pair
from tests.support.fake_apiserver import FakeApiserver
from webhook.certificates.contents import authorities_data, data_of, read_authorities, read_bundle, read_serving
from webhook.certificates.names import names_in
from webhook.kube.client import Cluster
from webhook.settings import Issuer, Settings
from webhook.wiring.certificates import make_delivery, make_keeper

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CA, TLS = pair(names_in(SYSTEM), NOW, MINUTE)


def test_what_is_written_is_read_again() -> None:
    known = read_authorities(CA)
    assert known.newest and known.newest.can_sign(NOW) and known.wrong is None and known.older is None
    both = authorities_data(known.newest, known.newest)
    assert both == {**CA, "old.crt": CA["ca.crt"], "old.key": CA["ca.key"]}
    older = read_authorities(both).older
    assert older and older.can_sign(NOW)
    assert authorities_data(known.newest, None) == CA


def test_a_certificate_of_another_kind_with_a_chain_is_served_as_it_is() -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "by cert-manager")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + MINUTE)
    leaf = builder.sign(key, hashes.SHA256())
    chain = pem.certificate_pem(leaf) + CA["ca.crt"]
    text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    serving, wrong = read_serving({"tls.crt": chain, "tls.key": text})
    assert serving and serving.certificate == leaf and serving.crt == chain and wrong is None


@pytest.mark.parametrize("secret", [None, {}, {"data": None}, {"data": []}, {"data": {"tls.crt": None}}])
def test_a_secret_without_data_has_none(secret: dict[str, object] | None) -> None:
    assert not any(data_of(secret).values())


@given(st.dictionaries(st.sampled_from(["ca.crt", "ca.key", "old.crt", "tls.crt", "tls.key"]), st.binary(max_size=60)))
def test_whatever_is_in_it_it_is_read(data: dict[str, bytes]) -> None:
    encoded = {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}}
    assert data_of(encoded) == data
    known = read_authorities(data)
    assert known.newest is None and known.wrong
    assert read_serving(data)[0] is None
    assert read_bundle(data.get("ca.crt", b"")) == []


def test_no_key_is_shown_by_what_holds_one() -> None:
    shown = repr(read_authorities(CA)) + repr(read_serving(TLS))
    for key in (CA["ca.key"], TLS["tls.key"]):
        assert key.decode().splitlines()[1] not in shown


@pytest.mark.parametrize("read", [pem.read_key, pem.read_certificates, lambda text: pem.is_pair(_leaf(), text)])
def test_no_error_repeats_what_was_read(read: object) -> None:
    assert callable(read)
    with pytest.raises(ValueError) as error:
        read(TLS["tls.key"].replace(b"PRIVATE", b"SECRET"))
    assert error.value.__cause__ is None and len(str(error.value)) < 60


def _leaf() -> x509.Certificate:
    return pem.read_certificates(TLS["tls.crt"])[0]


# --- who makes them


def _nobody() -> Cluster:
    return Cluster("front", Configuration(), http=FakeApiserver())


def settings(**values: object) -> Settings:
    return Settings.model_validate({"kubeconfig": None, **values})


@pytest.mark.parametrize("value", ["a b", "größe", "medea.example, a b"])
def test_a_wrong_name_in_a_setting_is_told(value: str) -> None:
    with pytest.raises(ValidationError, match="is not a DNS name"):
        settings(medea_tls_names=value)


@pytest.mark.parametrize("value", ["Medea", "a/b", ".."])
def test_a_setting_that_is_no_name_of_a_secret_is_told(value: str) -> None:
    with pytest.raises(ValidationError):
        settings(medea_tls_secret=value)


def test_without_the_setting_nothing_is_made_or_delivered() -> None:
    assert make_delivery(settings()) is None
    assert make_keeper(_nobody(), settings()) is None


def test_what_cert_manager_makes_is_only_delivered() -> None:
    assert make_keeper(_nobody(), settings(medea_tls_secret="medea-tls", medea_tls_issuer=Issuer.CERT_MANAGER)) is None
    assert make_keeper(_nobody(), settings(medea_tls_secret="medea-tls")) is not None
