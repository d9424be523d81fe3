"""How long a target's credentials are valid is read from them, whatever they are."""

import base64
import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from certs.authority import make_authority
from tests.targets.administrator import jwt
from webhook.kube.kubeconfig import Reach
from webhook.targets.credentials import kubeconfig, life_of, token_of, with_token

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def config(token: str) -> dict[str, Any]:
    return kubeconfig("west", Reach("https://west"), token)


def test_a_token_says_for_whom_and_how_long_it_is() -> None:
    life = life_of(config(jwt(NOW, 3600)))
    assert life is not None
    assert (life.begins, life.ends) == (NOW, NOW + datetime.timedelta(hours=1))
    assert life.half == NOW + datetime.timedelta(minutes=30)
    assert life.account == ("medea-system", "medea")


@pytest.mark.parametrize("subject", ["ann", "system:node:x", "system:serviceaccount:a", "a:b:c:d", ""])
def test_a_token_of_nobody_who_is_an_account_is_not_to_be_renewed(subject: str) -> None:
    life = life_of(config(jwt(NOW, 3600, subject)))
    assert life is not None and life.account is None


@pytest.mark.parametrize(
    "token", ["", "opaque", "a.b.c", "..", "a.bnVsbA.c", "a.eyJleHAiOiJ4In0.c", "a.eyJleHAiOjFlOTl9.c"]
)
def test_what_is_no_such_token_has_no_end_that_is_known(token: str) -> None:
    assert life_of(config(token)) is None


@given(st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.text())), st.text())
def test_a_kubeconfig_of_any_shape_can_be_asked(anything: Any, context: str) -> None:
    assert life_of({"users": anything, "contexts": anything, "current-context": context}) is None


def test_only_the_token_in_use_is_replaced() -> None:
    other = {"name": "other", "user": {"token": "theirs"}}
    old = config("old")
    old["users"].append(other)
    new = with_token(old, "new")
    assert token_of(new) == "new" and new["users"][1] == other and old["users"][0]["user"]["token"] == "old"


def test_the_authority_and_the_name_for_tls_are_in_the_kubeconfig() -> None:
    made = kubeconfig("west", Reach("https://1.2.3.4", b"PEM", "west.internal"), "t")["clusters"][0]["cluster"]
    assert base64.b64decode(made["certificate-authority-data"]) == b"PEM"
    assert made["tls-server-name"] == "west.internal"


def test_a_certificate_says_how_long_it_is_valid() -> None:
    authority = make_authority(ec.generate_private_key(ec.SECP256R1()), NOW)
    held = config("unused")
    pem = authority.public_bytes(serialization.Encoding.PEM)
    held["users"][0]["user"] = {"client-certificate-data": base64.b64encode(pem).decode()}
    life = life_of(held)
    assert life is not None and life.account is None and life.ends == authority.not_valid_after_utc
