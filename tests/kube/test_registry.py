"""Targets are made from Secrets, and only from those that carry all they need and nothing that runs programs."""

import base64
from typing import Any

import pytest
import yaml

from webhook.errors import Refused
from webhook.kube.registry import configuration_of

KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "west",
    "clusters": [{"name": "west", "cluster": {"server": "https://west:6443"}}],
    "users": [{"name": "medea", "user": {"token": "secret"}}],
    "contexts": [{"name": "west", "context": {"cluster": "west", "user": "medea"}}],
}


def secret(kubeconfig: Any) -> dict[str, Any]:
    text = kubeconfig if isinstance(kubeconfig, bytes) else yaml.safe_dump(kubeconfig).encode()
    return {"metadata": {"name": "target-west"}, "data": {"kubeconfig": base64.b64encode(text).decode()}}


def with_user(**user: Any) -> dict[str, Any]:
    return {**KUBECONFIG, "users": [{"name": "medea", "user": user}]}


def test_a_kubeconfig_with_its_credentials_in_it_is_taken() -> None:
    configuration = configuration_of(secret(KUBECONFIG))
    assert configuration.host == "https://west:6443"


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "sh"}},
        {"auth-provider": {"name": "x"}},
        {"tokenFile": "/etc/shadow"},
        {"client-key": "/etc/shadow", "client-certificate": "/x"},
    ],
)
def test_a_kubeconfig_that_runs_programs_or_reads_files_is_refused(user: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=next(iter(sorted(user)))):
        configuration_of(secret(with_user(**user)))


@pytest.mark.parametrize("broken", [b"", b"not: [yaml", b"just text", b"\xff", b"[]", b"clusters: 5"])
def test_what_is_no_kubeconfig_is_refused_with_the_secrets_name(broken: bytes) -> None:
    with pytest.raises(Refused, match="target-west"):
        configuration_of(secret(broken))


def test_a_secret_without_the_key_is_refused_with_the_keys_name() -> None:
    with pytest.raises(Refused, match="kubeconfig"):
        configuration_of({"metadata": {"name": "target-west"}, "data": {}})
