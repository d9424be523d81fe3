"""How the command line asks the API: with whose token, and what it says when it gets no answer."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.files import Files, ensure
from tests.support.scripted_apiserver import Answer, Script, apiserver, reply
from webhook.admin.asking import ask
from webhook.errors import MedeaError
from webhook.settings import Settings

ANSWER: dict[str, Any] = {"targets": []}


class Asked:
    """Answers, and keeps the headers that came."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.headers: list[str | None] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.headers.append(handler.headers.get("Authorization"))
        self._answer(handler)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The API's certificates."""
    return ensure(tmp_path / "certs")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file with a token, as kubectl prints it."""
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    return path


def kubeconfig(folder: Path, user: dict[str, str]) -> Path:
    """A kubeconfig of somebody."""
    path = folder / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "front",
        "clusters": [{"name": "front", "cluster": {"server": "https://front:6443"}}],
        "users": [{"name": "ann", "user": user}],
        "contexts": [{"name": "front", "context": {"cluster": "front", "user": "ann"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_token_of_the_file_goes_before_that_of_the_kubeconfig(
    files: Files, tmp_path: Path, token_file: Path
) -> None:
    asked, known = Asked(reply(200, ANSWER)), kubeconfig(tmp_path, {"token": "kubeconfigs"})
    with apiserver(Script(asked), tls=files) as api:
        settings = Settings(medea_scout_url=api.address, medea_api_ca=files.ca, kubeconfig=known)
        assert ask(settings, "/x", token_file=token_file) == ANSWER
        assert ask(settings, "/x", token_file=None) == ANSWER
    assert asked.headers == ["Bearer from-a-file", "Bearer kubeconfigs"]


def test_no_token_is_sent_in_plain_text_not_even_to_the_loopback(token_file: Path) -> None:
    asked = Asked(reply(200, ANSWER))
    with apiserver(Script(asked)) as api:
        assert ask(Settings(medea_scout_url=api.address), "/x", token_file=token_file) == ANSWER
    assert asked.headers == [None]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_whose_token_was_refused(files: Files, token_file: Path, status: int) -> None:
    body = {"error": {"code": "forbidden", "message": "ann may not list"}}
    with apiserver(Script(reply(status, body)), tls=files) as api:
        settings = Settings(medea_scout_url=api.address, medea_api_ca=files.ca)
        with pytest.raises(MedeaError, match=f"ann may not list .with the token of {token_file}."):
            ask(settings, "/x", token_file=token_file)


@pytest.mark.parametrize("answer", [reply(200, b"<html>"), reply(502, {}), reply(200, [1]), reply(302, {})])
def test_what_is_no_answer_of_medeas_is_said_to_be_none(files: Files, token_file: Path, answer: Answer) -> None:
    with apiserver(Script(answer), tls=files) as api:
        settings = Settings(medea_scout_url=api.address, medea_api_ca=files.ca)
        with pytest.raises(MedeaError, match="answer"):
            ask(settings, "/x", token_file=token_file)


def test_an_api_of_another_authority_is_not_trusted_with_a_token(
    files: Files, tmp_path: Path, token_file: Path
) -> None:
    asked = Asked(reply(200, ANSWER))
    other = ensure(tmp_path / "others")
    with apiserver(Script(asked), tls=files) as api:
        settings = Settings(medea_scout_url=api.address, medea_api_ca=other.ca)
        with pytest.raises(MedeaError, match="MEDEA_API_CA"):
            ask(settings, "/x", token_file=token_file)
    assert asked.headers == []


@pytest.mark.parametrize("content", ["", "a b\nc", "\u00e4", "a\nb"])
def test_a_file_that_holds_no_token_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(MedeaError, match=r"--token-file is .*token, which must hold a token and nothing else$"):
        ask(Settings(), "/x", token_file=path)
    with pytest.raises(MedeaError, match="can't be read: FileNotFoundError"):
        ask(Settings(), "/x", token_file=tmp_path / "none")


def test_who_has_no_token_is_told_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = Settings(kubeconfig=kubeconfig(tmp_path, {"username": "ann"}))
    with pytest.raises(MedeaError, match="kubectl create token"):
        ask(named, "/x", token_file=None)
    (tmp_path / "kubeconfig").write_text("token: sesame")
    with pytest.raises(MedeaError, match="is no kubeconfig") as error:
        ask(named, "/x", token_file=None)
    assert "sesame" not in error.value.message
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(MedeaError, match="KUBECONFIG is not set"):
        ask(Settings(), "/x", token_file=None)
