"""The plugin's door: who asks is known by the token, and the log says who tried in vain."""

from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from webhook.api.rights import Rights
from webhook.api.steps import Steps
from webhook.api.tokens import Tokens
from webhook.kube.client import Cluster
from webhook.server.apps import create_plugin_app

QUESTION = {"workflow": {"name": "job", "namespace": "blue", "uid": "u"}, "call": {"get": {"name": "other"}}}


class Front:
    """Knows the token of another namespace's plugin."""

    def create(self, _kind: object, _namespace: object, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        right = body["spec"]["token"] == "reds"
        user = {"username": "system:serviceaccount:red:medea-executor-plugin"} if right else {}
        return {"status": {"authenticated": right, "user": user}}


@pytest.fixture
def client() -> FlaskClient:
    """The door over that front door."""
    front, none = cast("Cluster", Front()), cast("Any", None)
    steps = Steps(front, none, Rights(front), Tokens(front), others=none, sub_workflows=none)
    return create_plugin_app(steps).test_client()


@pytest.mark.parametrize(
    ("header", "status", "user"),
    [
        (None, 401, None),
        ("Bearer ", 401, None),
        ("Bearer made-up", 403, None),
        ("Bearer reds", 403, "system:serviceaccount:red:medea-executor-plugin"),
    ],
)
def test_whoever_is_not_the_namespaces_own_plugin_is_refused_and_named(
    client: FlaskClient, header: str | None, status: int, user: str | None
) -> None:
    with capture_logs() as lines:
        answer = client.post("/api/v1/plugin", json=QUESTION, headers={"Authorization": header} if header else {})
    assert answer.status_code == status
    [line] = lines
    assert (line["event"], line.get("user"), line["remote"]) == ("refused", user, "127.0.0.1")
    assert "made-up" not in str(line) and "reds" not in str(line)


@pytest.mark.parametrize("path", ["/mutate", "/api/request", "/api/v1/workflows/blue/submit", "/readyz", "/apidoc/"])
def test_it_answers_nothing_else(client: FlaskClient, path: str) -> None:
    assert client.post(path, json={}).status_code == 404
    assert client.get(path).status_code == 404
