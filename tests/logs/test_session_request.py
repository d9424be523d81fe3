"""A kubelet's words become an apiserver's, and what makes no sense is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import BadRequest
from webhook.logs.session_request import Kind, read_request

SPDY = {"Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v5.channel.k8s.io,v4.channel.k8s.io"}


def test_exec_asks_for_the_same_streams_and_the_whole_command() -> None:
    asked = {"input": ["1"], "output": ["1"], "tty": ["0"], "command": ["sh", "-c", "echo a,b & c"], "else": ["x"]}
    found = read_request(Kind.EXEC, "main", asked, SPDY.get)
    assert found.method == "POST"
    assert found.query == (
        ("container", "main"),
        ("stdin", "true"),
        ("stdout", "true"),
        ("command", "sh"),
        ("command", "-c"),
        ("command", "echo a,b & c"),
    )
    assert found.upgrade == (
        ("Connection", "Upgrade"),
        ("Upgrade", "SPDY/3.1"),
        ("X-Stream-Protocol-Version", "v5.channel.k8s.io"),
        ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
    )


def test_attach_has_no_command_and_port_forwarding_no_container() -> None:
    assert read_request(Kind.ATTACH, "main", {"error": ["1"], "command": ["x"]}, SPDY.get).query == (
        ("container", "main"),
        ("stderr", "true"),
    )
    assert read_request(Kind.PORT_FORWARD, None, {}, SPDY.get).query == ()
    assert read_request(Kind.PORT_FORWARD, None, {"port": ["80,8080"]}, SPDY.get).query == (
        ("ports", "80"),
        ("ports", "8080"),
    )


def test_a_websocket_begins_with_get_and_keeps_its_key() -> None:
    headers = {"Upgrade": "websocket", "Sec-WebSocket-Key": "a==", "Sec-WebSocket-Protocol": "v4, v5", "Cookie": "c"}
    found = read_request(Kind.EXEC, "main", {}, headers.get)
    assert found.method == "GET"
    assert found.upgrade[2:] == (("Sec-WebSocket-Key", "a=="), ("Sec-WebSocket-Protocol", "v4, v5"))


@pytest.mark.parametrize(
    ("kind", "container", "asked", "headers", "words"),
    [
        (Kind.EXEC, "main", {}, {}, "header Upgrade is ''"),
        (Kind.EXEC, "main", {}, {"Upgrade": "h2c"}, "header Upgrade is 'h2c'"),
        (Kind.EXEC, "../x", {}, SPDY, "container is '../x'"),
        (Kind.EXEC, "main", {"tty": ["yes"]}, SPDY, "tty is 'yes': it must be 1 or 0"),
        (Kind.PORT_FORWARD, None, {"port": ["0"]}, SPDY, "port is '0'"),
        (Kind.PORT_FORWARD, None, {"port": ["80,x"]}, SPDY, "port is 'x'"),
        (Kind.PORT_FORWARD, None, {"port": ["65536"]}, SPDY, "port is '65536'"),
    ],
)
def test_what_makes_no_sense_is_named(
    kind: Kind, container: str | None, asked: dict[str, list[str]], headers: dict[str, str], words: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(kind, container, asked, headers.get)
    assert words in refused.value.message


@given(
    st.sampled_from(Kind),
    st.text(),
    st.dictionaries(st.sampled_from(["input", "tty", "command", "port"]), st.lists(st.text(), max_size=3)),
    st.dictionaries(st.sampled_from(["Upgrade", "X-Stream-Protocol-Version"]), st.sampled_from(["SPDY/3.1", ",", ""])),
)
def test_any_request_is_understood_or_refused(
    kind: Kind, container: str, asked: dict[str, list[str]], headers: dict[str, str]
) -> None:
    try:
        found = read_request(kind, container, asked, headers.get)
    except BadRequest:
        return
    words = [value for name, value in found.query if name == "command"]
    assert words == (asked.get("command", []) if kind is Kind.EXEC else [])
