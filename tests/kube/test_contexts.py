"""A person's own kubeconfig: its contexts are used as kubectl uses them, and nothing in it is ever shown."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from webhook.errors import Refused
from webhook.kube.client import of_context
from webhook.kube.kubeconfig import context_configuration, reach_of

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ing"


def write(path: Path, name: str, **cluster: Any) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443", **cluster}}],
        "users": [{"name": name, "user": {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_contexts_of_several_files_are_found_and_the_first_files_is_the_current_one(tmp_path: Path) -> None:
    both = f"{write(tmp_path / 'front', 'front')}:{write(tmp_path / 'west', 'west')}"
    assert context_configuration(None, both).host == "https://front:6443"
    assert context_configuration("west", both).host == "https://west:6443"
    west = of_context("there", "west", both)
    assert (west.name, west.address, west.authorization()) == ("there", "https://west:6443", f"Bearer {TOKEN}")


@pytest.mark.parametrize("text", ["", "- x", f"users: [{{token: '{TOKEN}", f"contexts: {TOKEN}", "current-context: x"])
def test_a_kubeconfig_or_context_that_is_of_no_use_is_told_without_its_content(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(Refused, match="has no usable context west") as raised:
        context_configuration("west", str(file))
    assert TOKEN not in raised.value.message
    with pytest.raises(Refused, match="has no usable current context"):
        context_configuration(None, str(tmp_path / "missing"))


def test_where_a_cluster_is_comes_with_its_authority_and_the_name_for_tls(tmp_path: Path) -> None:
    pem = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    file = write(tmp_path / "w", "west", **{"certificate-authority-data": pem, "tls-server-name": "inside"})
    reach = reach_of("west", context_configuration(None, file))
    assert (reach.server, reach.authority, reach.tls_name) == (
        "https://west:6443",
        b"-----BEGIN CERTIFICATE-----",
        "inside",
    )
    assert reach_of("west", context_configuration(None, file), "https://elsewhere").server == "https://elsewhere"


@pytest.mark.parametrize("server", ["http://west", "west", "https://a:b@west", "ftp://west"])
def test_an_address_without_tls_is_refused(tmp_path: Path, server: str) -> None:
    configuration = context_configuration(None, write(tmp_path / "w", "west"))
    with pytest.raises(Refused, match="--server"):
        reach_of("west", configuration, server)


def test_a_context_that_skips_tls_checks_is_refused(tmp_path: Path) -> None:
    configuration = context_configuration(None, write(tmp_path / "w", "west", **{"insecure-skip-tls-verify": True}))
    with pytest.raises(Refused, match="skips TLS checks"):
        reach_of("west", configuration)
