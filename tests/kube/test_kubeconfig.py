"""Targets are made from Secrets, and only from those that carry all they need and nothing that runs programs."""

import base64
import traceback
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import Refused
from webhook.kube.kubeconfig import configuration_of

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


def with_cluster(**cluster: Any) -> dict[str, Any]:
    return {**KUBECONFIG, "clusters": [{"name": "west", "cluster": {"server": "https://west:6443", **cluster}}]}


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify"),
        ({"insecure-skip-tls-verify": "false"}, "insecure-skip-tls-verify"),
        ({"proxy-url": "socks5://somewhere"}, "proxy-url"),
        ({"server": "http://west:8080"}, "https://"),
        ({"server": "west:6443"}, "https://"),
        ({"server": "HTTP://west"}, "https://"),
        ({"server": "https://"}, "https://"),
    ],
)
def test_a_kubeconfig_with_which_anybody_could_listen_is_refused(cluster: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        configuration_of(secret(with_cluster(**cluster)))


def test_tls_checks_that_are_not_skipped_are_fine() -> None:
    assert configuration_of(secret(with_cluster(**{"insecure-skip-tls-verify": False}))).verify_ssl


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"not: [yaml",
        b"just text",
        b"\xff",
        b"[]",
        b"clusters: 5",
        b"users: x",
        b"a: &a [*a]",
        b"- " * 3000,
        b"{a: 1, [b]: 2}",
        b"!!python/object:os.system x",
        b"2020-99-99",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_kubeconfig_is_refused_with_the_secrets_name(broken: bytes) -> None:
    with pytest.raises(Refused, match="target-west"):
        configuration_of(secret(broken))


TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ing"


@pytest.mark.parametrize(
    "text",
    [
        f'users: [{{name: m, user: {{token: "{TOKEN}}}}}]',
        f"{TOKEN}: [",
        f"current-context: {TOKEN}\nclusters: []\nusers: []\ncontexts: []",
        f"users:\n- name: {TOKEN}\n  user: {TOKEN}\nclusters: {TOKEN}\ncurrent-context: {TOKEN}\ncontexts: {TOKEN}",
        f"? !!{TOKEN} x",
        f"*{TOKEN}",
        f"{TOKEN}\t:\n\t- @{TOKEN}",
    ],
)
def test_a_mistake_in_a_kubeconfig_shows_nothing_of_its_content(text: str) -> None:
    with pytest.raises(Refused) as raised:
        configuration_of(secret(text.encode()))
    assert TOKEN not in "".join(traceback.format_exception(raised.value))
    assert "target-west" in raised.value.message


def test_a_mistake_in_the_yaml_is_told_with_its_line() -> None:
    with pytest.raises(Refused, match="line 3"):
        configuration_of(secret(b"a: 1\nb: 2\nc: }"))


@pytest.mark.parametrize("token", ["abc\n", "a\r\nX-Evil: 1", "schlüssel", "tab\t"])
def test_a_token_that_no_header_may_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(Refused, match="its token has a line break or a strange character"):
        configuration_of(secret(with_user(token=token)))


def test_anchors_that_multiply_are_read_once() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40))]
    with pytest.raises(Refused):
        configuration_of(secret("\n".join(lines).encode()))


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates())
NAMES = st.sampled_from(
    [*KUBECONFIG, "cluster", "user", "context", "name", "token", "server", "namespace", "proxy-url"]
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)


@given(
    st.sampled_from(["http", "https", "HTTP", "ftp", ""]),
    st.dictionaries(
        st.sampled_from(["insecure-skip-tls-verify", "proxy-url", "tls-server-name", "certificate-authority"]),
        st.one_of(st.booleans(), st.just(TOKEN), st.none()),
    ),
)
def test_what_is_taken_is_always_checked_tls_without_a_proxy(scheme: str, rest: dict[str, Any]) -> None:
    try:
        configuration = configuration_of(secret(with_cluster(server=f"{scheme}://west", **rest)))
    except Refused:
        return
    assert configuration.host == "https://west" and configuration.verify_ssl and not configuration.proxy
    assert not {"proxy-url", "certificate-authority"} & rest.keys()


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.integers(0, 200), st.integers(0, 30))
def test_no_mistake_in_a_kubeconfig_shows_a_piece_of_it(junk: str, at: int, cut: int) -> None:
    text = yaml.safe_dump(with_user(token=TOKEN))
    spoiled = text[:at] + junk + text[at + cut :]
    try:
        configuration_of(secret(spoiled.encode()))
    except Refused as refused:
        shown = "".join(traceback.format_exception(refused))
        assert not any(TOKEN[i : i + 8] in shown for i in range(len(TOKEN) - 8))


@given(ANYTHING, st.sampled_from(["", "clusters", "users", "contexts", "current-context"]))
def test_yaml_of_any_shape_is_a_kubeconfig_or_refused(anything: Any, at: str) -> None:
    try:
        configuration_of(secret({**KUBECONFIG, at: anything} if at else anything))
    except Refused:
        return


@given(st.one_of(LEAVES, st.binary(max_size=40), st.dictionaries(st.just("kubeconfig"), LEAVES)))
def test_a_secrets_data_of_any_shape_is_a_kubeconfig_or_refused(data: Any) -> None:
    with pytest.raises(Refused):
        configuration_of({"metadata": {"name": "target-west"}, "data": data})


def test_a_secret_without_the_key_is_refused_with_the_keys_name() -> None:
    with pytest.raises(Refused, match="kubeconfig"):
        configuration_of({"metadata": {"name": "target-west"}, "data": {}})
