"""Medea's own certificates while cert-manager is about to issue them instead, and after it has."""

import base64
import datetime

import pytest
from cryptography import x509

from certs import pem
from tests.certificates.house import SYSTEM, House, pair, trusted
from webhook.certificates.names import names_in
from webhook.kube.resources import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS

DAY = datetime.timedelta(days=1)
ISSUED = "medea-cert-manager-tls"


@pytest.fixture
def house() -> House:
    made = House(authority_life=3650 * DAY, life=90 * DAY)
    made.keeper.step()
    return made


def issue(house: House) -> dict[str, bytes]:
    """What cert-manager would put into its Secret."""
    return pair(names_in(SYSTEM), house.clock.now(), 90 * DAY)[1]


def leaf(issued: dict[str, bytes]) -> x509.Certificate:
    return pem.read_certificates(issued["tls.crt"])[0]


def inject(house: House, ca: bytes, *, anew: bool = False) -> None:
    """As cert-manager does, which adds its authority to what is there, or, before version 1.19, writes it anew."""
    for kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        found = house.front.get(kind, "", "medea")
        assert found is not None
        there = "" if anew else base64.b64decode(found["webhooks"][0]["clientConfig"]["caBundle"]).decode()
        text = base64.b64encode(there.encode() + ca).decode()
        webhooks = [{**one, "clientConfig": {**one["clientConfig"], "caBundle": text}} for one in found["webhooks"]]
        metadata = {"name": "medea", "annotations": {"cert-manager.io/inject-ca-from": "medea-system/medea-authority"}}
        house.front.put(kind, {**found, "metadata": metadata, "webhooks": webhooks})


def all_trust(house: House, issued: dict[str, bytes]) -> bool:
    return all(trusted(leaf(issued), text, house.clock.now()) for text in house.bundles())


def test_an_authority_that_cert_manager_adds_is_not_fought_over(house: House) -> None:
    issued = issue(house)
    inject(house, issued["ca.crt"])
    house.writes()
    house.keeper.step()
    assert house.writes() == []
    assert all_trust(house, issued)
    house.check_trust()


def test_medeas_own_authority_joins_what_cert_manager_has_written_anew(house: House) -> None:
    issued = issue(house)
    inject(house, issued["ca.crt"], anew=True)
    house.keeper.step()
    assert all_trust(house, issued)
    house.check_trust()


def test_an_authority_that_nobody_asked_for_leaves_the_bundle(house: House) -> None:
    issued = issue(house)
    inject(house, issued["ca.crt"])
    for kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        found = house.front.get(kind, "", "medea")
        assert found is not None
        house.front.put(kind, {**found, "metadata": {"name": "medea"}})
    house.keeper.step()
    assert not all_trust(house, issued)
    house.check_trust()


def test_after_the_change_back_what_cert_manager_issued_is_trusted_until_its_secret_is_deleted(house: House) -> None:
    issued = issue(house)
    house.put_secret(ISSUED, issued)
    house.keeper.step()
    assert all_trust(house, issued)
    assert trusted(leaf(issued), house.secret("medea-tls")["ca.crt"].decode(), house.clock.now())
    house.check_trust()
    assert house.secret(ISSUED) == issued
    house.delete_secret(ISSUED)
    house.keeper.step()
    assert set(house.trusted_authorities()) == {house.authority()}
    assert house.secret("medea-tls")["ca.crt"] == pem.certificate_pem(house.authority())


def test_after_the_change_back_what_cert_manager_issued_is_trusted_until_it_expires(house: House) -> None:
    house.put_secret(ISSUED, issue(house))
    house.clock.advance((89 * DAY).total_seconds())
    house.keeper.step()
    assert len(set(house.trusted_authorities())) == 2
    house.clock.advance((2 * DAY).total_seconds())
    house.keeper.step()
    assert set(house.trusted_authorities()) == {house.authority()}


@pytest.mark.parametrize(
    "damage",
    [
        {"tls.crt": b"", "tls.key": b""},
        {"tls.crt": b"garbage"},
        {"ca.crt": b"garbage"},
        {"ca.crt": pair(names_in(SYSTEM), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))[1]["ca.crt"]},
    ],
    ids=["empty", "no certificate", "no authority", "another authority"],
)
def test_a_secret_of_cert_managers_in_which_nothing_fits_adds_nothing(house: House, damage: dict[str, bytes]) -> None:
    house.put_secret(ISSUED, {**issue(house), **damage})
    house.keeper.step()
    assert set(house.trusted_authorities()) == {house.authority()}
    house.check_trust()


def test_it_never_writes_what_cert_manager_fills(house: House) -> None:
    house.writes()
    house.front.put(SECRETS, {"metadata": {"name": ISSUED, "namespace": SYSTEM}, "data": None})
    house.keeper.step()
    assert house.writes() == []
