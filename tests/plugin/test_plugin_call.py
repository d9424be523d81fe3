"""The plugin between Argo's agent and Medea."""

import dataclasses
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from certs.files import ensure
from plugin.app import create_app
from plugin.medea import _TIMEOUT as PATIENCE
from plugin.medea import Medea
from plugin.settings import Settings
from tests.plugin.conftest import Call, FakeMedea, serving


@pytest.mark.parametrize("token", ["", "wrong", "agents-secre", "agents-secret2", "ägents-secret", "pods-secret"])
def test_a_wrong_token_is_refused_with_403(call: Call, body: Any, fake_medea: FakeMedea, token: str) -> None:
    answer = call(body, token=token)
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "forbidden"
    assert fake_medea.asked == []


def test_a_call_without_any_token_is_refused_with_403(client: FlaskClient, body: Any) -> None:
    assert client.post("/api/v1/template.execute", json=body).status_code == 403


def test_a_wrong_token_is_refused_before_the_body_is_read(call: Call) -> None:
    assert call(b"{", token="wrong").status_code == 403


def test_a_replaced_agent_token_counts_at_once(call: Call, body: Any, settings: Settings) -> None:
    settings.agent_token.write_text("another")
    assert call(body).status_code == 403
    assert call(body, token="another").status_code == 200


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_without_an_agent_token_nobody_gets_in(
    client: FlaskClient, body: Any, settings: Settings, content: str | None
) -> None:
    settings.agent_token.unlink()
    if content is not None:
        settings.agent_token.write_text(content)
    answer: Any = client.post("/api/v1/template.execute", json=body, headers={"Authorization": "Bearer "})
    assert answer.status_code == 503
    assert "token of Argo's agent" in answer.json["error"]["message"]


def test_medea_is_asked_with_the_workflow_the_verb_and_the_pods_own_token(
    call: Call, body: Any, fake_medea: FakeMedea
) -> None:
    assert call(body).status_code == 200
    [(path, headers, question)] = fake_medea.asked
    assert path == "/api/v1/plugin"
    assert headers["Authorization"] == "Bearer pods-secret"
    assert headers["Content-Type"] == "application/json"
    assert question == {
        "workflow": {"name": "pi-x7k2p", "namespace": "team-a", "uid": "0b0e"},
        "call": {"track": {"placement": "p-1"}},
    }


def test_a_rotated_token_is_shown_to_medea_at_once(
    call: Call, body: Any, fake_medea: FakeMedea, settings: Settings
) -> None:
    call(body)
    settings.own_token.write_text("rotated")
    call(body)
    assert [headers["Authorization"] for _, headers, _ in fake_medea.asked] == ["Bearer pods-secret", "Bearer rotated"]


def test_text_in_any_script_reaches_medea_unchanged(call: Call, body: Any, fake_medea: FakeMedea) -> None:
    argument = {"workflow": {"metadata": {"annotations": {"größe": "計算 🚀 \u0000 \ud800"}}}}
    body["template"]["plugin"] = {"medea": {"run": argument}}
    assert call(body).status_code == 200
    assert fake_medea.asked[0][2]["call"] == {"run": argument}


def test_medeas_answer_reaches_argo_unchanged(call: Call, body: Any, fake_medea: FakeMedea) -> None:
    said = {
        "node": {
            "phase": "Succeeded",
            "message": "auf blau ✓",
            "progress": "3/3",
            "outputs": {"parameters": [{"name": "name", "value": "pi"}]},
        }
    }
    fake_medea.answers(200, said)
    answer = call(body)
    assert (answer.status_code, answer.json) == (200, said)


def test_a_template_of_another_plugin_is_left_to_it(call: Call, body: Any, fake_medea: FakeMedea) -> None:
    body["template"]["plugin"] = {"hello": {}}
    answer = call(body)
    assert (answer.status_code, answer.json) == (200, {})
    assert fake_medea.asked == []


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_what_medea_refuses_ends_the_node_with_medeas_words(
    call: Call, body: Any, fake_medea: FakeMedea, status: int
) -> None:
    fake_medea.answers(status, {"error": {"code": "refused", "message": "no cluster has 512 CPUs"}})
    answer = call(body)
    assert (answer.status_code, answer.json) == (
        200,
        {"node": {"phase": "Error", "message": "no cluster has 512 CPUs"}},
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (503, {"error": {"code": "ledger_unavailable", "message": "the ledger does not answer"}}),
        (500, b"<h1>Internal Server Error</h1>"),
        (401, {"error": {"code": "unauthorized", "message": "TokenReview failed"}}),
        (429, {}),
        (404, b"default backend - 404"),
        (403, {"error": "RBAC: access denied"}),
        (302, b""),
        (200, b"<!doctype html>"),
        (200, b"[" * 100_000),
        (200, []),
        (200, {}),
        (200, {"node": "Running"}),
    ],
)
def test_what_may_pass_by_itself_leaves_the_node_running_and_asks_again(
    call: Call, body: Any, fake_medea: FakeMedea, status: int, said: object
) -> None:
    fake_medea.answers(status, said)
    answer = call(body)
    assert answer.status_code == 200
    assert answer.json["node"]["phase"] == "Running"
    assert asks_again_soon(answer.json["requeue"])
    assert len(fake_medea.asked) == 1


def asks_again_soon(requeue: str) -> bool:
    """Whether that is a time as Go writes it, and one of those meant."""
    return 5 <= float(requeue.removesuffix("s")) <= 20


def test_medeas_own_reason_is_on_the_node_while_it_waits(call: Call, body: Any, fake_medea: FakeMedea) -> None:
    fake_medea.answers(503, {"error": {"code": "ledger_unavailable", "message": "the ledger does not answer"}})
    assert "the ledger does not answer" in call(body).json["node"]["message"]


def test_a_medea_that_hangs_costs_little_more_than_a_second(
    settings: Settings, fake_medea: FakeMedea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.medea._TIMEOUT", PATIENCE)
    fake_medea.may_answer.clear()
    began = time.monotonic()
    answer = _ask(settings)
    # What hangs here would answer after half a minute.
    assert 0.9 < time.monotonic() - began < 15
    assert "does not answer in time" in answer["node"]["message"]
    assert asks_again_soon(answer["requeue"])


def _ask(settings: Settings) -> dict[str, Any]:
    return Medea(settings).ask(b"{}")


def test_a_medea_that_is_down_leaves_the_node_running(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = _ask(dataclasses.replace(settings, medea_url=f"https://localhost:{port}"))
    assert answer["node"]["phase"] == "Running"
    assert "connection is refused" in answer["node"]["message"]


def test_a_name_that_is_not_known_leaves_the_node_running(settings: Settings) -> None:
    answer = _ask(dataclasses.replace(settings, medea_url="https://medea.invalid"))
    assert answer["node"]["phase"] == "Running"
    assert "name is not known" in answer["node"]["message"]


def test_no_token_is_shown_to_a_medea_of_another_authority(
    settings: Settings, fake_medea: FakeMedea, tmp_path: Path
) -> None:
    other = ensure(tmp_path / "other").ca.read_text()
    answer = _ask(dataclasses.replace(settings, ca_pem=other))
    assert "certificate is not trusted" in answer["node"]["message"]
    assert fake_medea.asked == []


def test_no_token_is_shown_to_a_server_with_another_name(settings: Settings, tmp_path: Path) -> None:
    elsewhere = ensure(tmp_path, names=["elsewhere"], ips=["192.0.2.1"])
    with serving(elsewhere) as medea:
        told = dataclasses.replace(settings, medea_url=medea.url, ca_pem=elsewhere.ca.read_text())
        assert "certificate is not trusted" in _ask(told)["node"]["message"]
        assert medea.asked == []


def test_one_of_two_authorities_is_enough_while_they_change(
    settings: Settings, fake_medea: FakeMedea, tmp_path: Path
) -> None:
    other = ensure(tmp_path / "other").ca.read_text()
    assert _ask(dataclasses.replace(settings, ca_pem=other + settings.ca_pem))["node"]["message"] == "on blue"
    assert len(fake_medea.asked) == 1


def test_a_proxy_in_the_environment_gets_nothing(
    settings: Settings, fake_medea: FakeMedea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert _ask(settings)["node"]["message"] == "on blue"
    assert len(fake_medea.asked) == 1


def test_without_its_own_token_the_plugin_says_so_on_the_node(call: Call, body: Any, settings: Settings) -> None:
    settings.own_token.unlink()
    answer = call(body)
    assert answer.json["node"]["phase"] == "Running"
    assert "own token cannot be read" in answer.json["node"]["message"]


def test_no_connection_is_kept_since_thousands_would_crowd_out_everybody_else(
    settings: Settings, fake_medea: FakeMedea
) -> None:
    medea = Medea(settings)
    for _ in range(3):
        medea.ask(b"{}")
    assert (len(fake_medea.asked), fake_medea.connections) == (3, 3)
    assert {headers["Connection"] for _, headers, _ in fake_medea.asked} == {"close"}


def test_not_all_ask_again_at_once_when_medea_is_back(settings: Settings, fake_medea: FakeMedea) -> None:
    fake_medea.answers(503, {})
    assert len({Medea(settings).ask(b"{}")["requeue"] for _ in range(10)}) > 1


def test_it_says_that_it_lives(client: FlaskClient) -> None:
    answer: Any = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/template.execute", 405), ("POST", "/healthz", 405), ("GET", "/", 404)],
)
def test_every_error_has_the_one_json_shape(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer: Any = client.open(path, method=method)
    assert answer.status_code == status
    assert set(answer.json["error"]) == {"code", "message"}


def test_a_body_that_no_workflow_can_have_is_refused_with_413(call: Call) -> None:
    answer = call(b" " * (4 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "request_entity_too_large")


def test_a_bug_shows_no_traceback(settings: Settings, body: Any) -> None:
    class Broken(Medea):
        def ask(self, question: bytes) -> dict[str, Any]:
            raise RuntimeError(question)

    client = create_app(settings, Broken(settings)).test_client()
    answer: Any = client.post(
        "/api/v1/template.execute", data=json.dumps(body), headers={"Authorization": "Bearer agents-secret"}
    )
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal_server_error"
    assert "track" not in answer.text
