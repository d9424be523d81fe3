"""Who gets through the API's door, for what, as whom; on every route that there is."""

from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.support.objects import row
from webhook.api.argoserver import ArgoServer
from webhook.api.balancer import Balancer
from webhook.api.gate import ClosedGate, OpenGate
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.routes import Deps
from webhook.api.tokens import Tokens
from webhook.doors.nodes import routes as nodes_routes
from webhook.doors.nodes.nodes import Nodes
from webhook.doors.split import routes as split_routes
from webhook.doors.split.jobs import Jobs
from webhook.doors.split.trees import Trees
from webhook.errors import ClusterUnavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, WORKFLOWS, Resource
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.deadline import Deadline
from webhook.model.submitter import Submitter
from webhook.scout.placer import Placer
from webhook.server.apps import create_api_app

Object = dict[str, Any]
ANN = {"username": "ann", "groups": ["blue"], "uid": "u-ann", "extra": {"scopes": ["some"]}}
SUBMIT = {"resourceKind": "WorkflowTemplate", "resourceName": "job"}
PLACEMENT = "0123456789abcdef" * 2


class Front:
    """A front door that knows ann's token. `allowed` are the verbs that she has in namespace blue."""

    def __init__(self, *allowed: str, away: bool = False) -> None:
        self.allowed, self.away = allowed, away
        self.asked: list[Object] = []
        self.done: list[tuple[str, str]] = []
        """By whom, and what."""
        self.who = "medea"

    def acting_as(self, authorization: str) -> Cluster:
        """The same for somebody else."""
        other = Front(*self.allowed)
        other.who, other.done = authorization, self.done
        return cast("Cluster", other)

    def create(self, kind: Resource, _namespace: str | None, body: Object, **_: Any) -> Object:
        if self.away:
            raise ClusterUnavailable("the front door is away")
        if kind is TOKEN_REVIEWS:
            right = body["spec"]["token"] == "anns"
            return {"status": {"authenticated": right, "user": ANN if right else {}}}
        if kind is SUBJECT_ACCESS_REVIEWS:
            self.asked.append(body["spec"])
            about = body["spec"]["resourceAttributes"]
            return {"status": {"allowed": about["verb"] in self.allowed and about["namespace"] != "red"}}
        assert kind is WORKFLOWS
        self.done.append((self.who, "create"))
        return body

    def find(self, _kind: Resource, _namespace: str, name: str) -> Object | None:
        return {"metadata": {"name": name}}

    def get(self, _kind: Resource, _namespace: str, name: str) -> Object:
        self.done.append((self.who, "get"))
        return {"metadata": {"name": name}}

    def delete(self, _kind: Resource, _namespace: str, _name: str) -> None:
        self.done.append((self.who, "delete"))


class Holds:
    """Of the namespaces, gray has not opted in."""

    def opted_in(self, namespace: str, _: Deadline) -> object:
        return None if namespace == "gray" else object()


class Argo:
    """Notes what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str | None] = []

    def steer(self, _namespace: str, _name: str, _verb: str, _body: Object, authorization: str | None) -> Object:
        self.sent.append(authorization)
        return {}


def app_of(front: Front, argo: Argo | None = None, *, is_open: bool = False) -> Flask:
    """The API over a front door."""
    cluster, holds = cast("Cluster", front), cast("Any", Holds())
    gate = OpenGate(holds, cluster) if is_open else ClosedGate(Tokens(cluster), Rights(cluster), holds, front.acting_as)
    pool = cast("Pool", None)
    balancer = Balancer(cluster, cast("Any", None), pool, ConcurrencyLimit(1), cast("ArgoServer", argo or Argo()))
    nodes = nodes_routes.Deps(gate, Nodes(cast("Any", None), None), ConcurrencyLimit(1))
    trees = Trees(cluster, pool, overview=Overview().overview, namespace=lambda _: None, space="medea-targets")
    split = split_routes.Deps(gate, Jobs(gate, pool, 10), trees, None, "power-job")
    return create_api_app(Deps(gate, cast("Placer", Overview()), pool, balancer), nodes, split)


class Overview:
    """A placer that knows no target."""

    def overview(self, _namespace: str) -> tuple[()]:
        return ()


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placements, "by_origin", lambda *_: None)


def ask(client: FlaskClient, method: str, path: str, token: str | None = "anns", body: object = None) -> TestResponse:
    """One request."""
    return client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {token}"} if token else {})


def told(answer: TestResponse) -> Object:
    """The JSON in an answer."""
    return dict(answer.get_json())


CALLS = [
    ("POST", "/api/v1/workflows/{}/submit", "create", SUBMIT),
    ("GET", "/api/v1/workflows/{}/job", "get", None),
    ("DELETE", "/api/v1/workflows/{}/job", "delete", None),
    ("PUT", "/api/v1/workflows/{}/job/stop", "patch", {}),
    ("PUT", "/api/v1/workflows/{}/job/terminate", "patch", {}),
    ("PUT", "/api/v1/workflows/{}/job/suspend", "update", {}),
    ("PUT", "/api/v1/workflows/{}/job/resume", "update", {}),
    ("PUT", "/api/v1/workflows/{}/job/retry", "update", {}),
    ("PUT", "/api/v1/workflows/{}/job/set", "update", {}),
    ("PUT", "/api/v1/workflows/{}/job/resubmit", "create", {}),
    ("GET", "/api/v1/targets/{}", "list", None),
]


def test_every_route_wants_to_know_who_calls_before_anything_else() -> None:
    app = app_of(Front(away=True))
    client = app.test_client()
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(("api.", "nodes."))]
    assert len(rules) >= len(CALLS) + 2
    for rule in rules:
        path = app.url_map.bind("medea").build(rule.endpoint, dict.fromkeys(rule.arguments, "x"), force_external=False)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = ask(client, method, path, token=None)
            assert (answer.status_code, told(answer)["error"]["code"]) == (401, "unauthenticated"), (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "right", "body"), CALLS)
def test_each_call_takes_the_right_that_the_caller_would_need_without_medea(
    method: str, path: str, right: str, body: object
) -> None:
    without = app_of(Front(*({"create", "get", "list", "delete", "patch", "update"} - {right}))).test_client()
    refused = ask(without, method, path.format("blue"), body=body)
    error = told(refused)["error"]
    assert (refused.status_code, error["user"], error["verb"], error["namespace"]) == (403, "ann", right, "blue")
    assert f"ann may not {right} Workflow" in error["message"]
    assert f"grant it {right} on workflows of argoproj.io" in error["message"]
    allowed = app_of(Front(right)).test_client()
    assert ask(allowed, method, path.format("blue"), body=body).status_code == 200
    elsewhere = ask(allowed, method, path.format("red"), body=body)
    assert elsewhere.status_code == 403
    not_opted_in = ask(allowed, method, path.format("gray"), body=body)
    assert not_opted_in.status_code == 403 and "medea.dev/enabled=true" in told(not_opted_in)["error"]["message"]


def test_the_front_door_is_told_all_that_it_said_of_the_caller() -> None:
    front = Front("get")
    assert ask(app_of(front).test_client(), "GET", "/api/v1/workflows/blue/job").status_code == 200
    [asked] = front.asked
    about = {"namespace": "blue", "verb": "get", "group": "argoproj.io", "resource": "workflows", "name": "job"}
    assert asked == {
        "user": "ann",
        "groups": ["blue"],
        "uid": "u-ann",
        "extra": {"scopes": ["some"]},
        "resourceAttributes": about,
    }


def test_what_is_done_is_done_with_the_callers_own_token_and_never_with_medeas() -> None:
    front, argo = Front("create", "get", "delete", "patch"), Argo()
    client = app_of(front, argo).test_client()
    for method, path, _, body in (CALLS[0], CALLS[1], CALLS[2], CALLS[3]):
        assert ask(client, method, path.format("blue"), body=body).status_code == 200
    assert front.done == [("Bearer anns", "create"), ("Bearer anns", "get"), ("Bearer anns", "delete")]
    assert argo.sent == ["Bearer anns"]


def test_the_need_of_a_namespace_is_told_to_those_who_may_list_its_workflows() -> None:
    body = {"namespace": "blue", "cpu": 1, "ram": 1}
    error = told(ask(app_of(Front("get")).test_client(), "POST", "/api/request", body=body))["error"]
    assert error["verb"] == "list"


@pytest.mark.parametrize(("namespace", "status"), [("blue", 200), ("red", 403), ("gray", 403)])
def test_a_decision_is_explained_to_those_who_may_get_the_workflow(
    namespace: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Row(dict[str, Any]):
        name = None

        @property
        def namespace(self) -> str:
            return namespace

    monkeypatch.setattr(placements, "get", lambda *_: Row())
    monkeypatch.setattr(placements, "decisions", lambda *_: [])
    answer = ask(app_of(Front("get")).test_client(), "GET", f"/api/v1/placements/{PLACEMENT}")
    assert answer.status_code == status


def test_an_explanation_tells_nothing_of_the_submitters_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    blue = row(namespace="blue", submitter=Submitter("ann", ("secret-team",)))
    monkeypatch.setattr(placements, "get", lambda *_: blue)
    monkeypatch.setattr(placements, "decisions", lambda *_: [])
    answer = ask(app_of(Front("get")).test_client(), "GET", f"/api/v1/placements/{PLACEMENT}")
    shown = answer.get_json()["placement"]
    assert shown["identity"] == "ann" and "secret-team" not in answer.text
    assert shown["totals"] == {"cpu_milli": 1000, "memory_bytes": 1 << 30}


@pytest.mark.parametrize("header", ["", "anns", "Basic anns", "Bearer", "Bearer  ", "Bearer other"])
def test_what_is_no_token_that_the_front_door_knows_is_refused(header: str) -> None:
    client = app_of(Front("get")).test_client()
    answer = client.get("/api/v1/workflows/blue/job", headers={"Authorization": header})
    assert answer.status_code == 401


def test_while_the_front_door_is_away_nobody_gets_in() -> None:
    assert ask(app_of(Front("get", away=True)).test_client(), "GET", "/api/v1/workflows/blue/job").status_code == 503


def test_the_log_says_who_tried_what_and_never_the_token() -> None:
    client = app_of(Front()).test_client()
    with capture_logs() as lines:
        ask(client, "DELETE", "/api/v1/workflows/blue/job")
        ask(client, "DELETE", "/api/v1/workflows/blue/job", token="guessed")
    refused, unknown = lines
    assert {"user": "ann", "verb": "delete", "namespace": "blue", "remote": "127.0.0.1"}.items() <= refused.items()
    assert unknown["path"] == "/api/v1/workflows/blue/job"
    assert "anns" not in str(lines) and "guessed" not in str(lines)


def test_an_open_door_lets_anybody_act_as_medea_where_a_namespace_opted_in() -> None:
    front, argo = Front(), Argo()
    client = app_of(front, argo, is_open=True).test_client()
    for method, path, _, body in CALLS:
        assert ask(client, method, path.format("blue"), token=None, body=body).status_code == 200
        assert ask(client, method, path.format("gray"), token=None, body=body).status_code == 403
    assert {who for who, _ in front.done} == {"medea"}
    # Not even there is Medea's own token handed on.
    assert set(argo.sent) == {None}


@pytest.mark.parametrize(("is_open", "identity"), [(True, "TUZ1"), (False, None)])
def test_only_an_open_door_believes_who_the_caller_says_to_be(is_open: bool, identity: str | None) -> None:
    client = app_of(Front("create"), is_open=is_open).test_client()
    headers = {"Authorization": "Bearer anns", "tuz": "TUZ1"}
    made = told(client.post("/api/v1/workflows/blue/submit", json=SUBMIT, headers=headers))
    assert made["metadata"]["annotations"].get("medea.dev/identity") == identity


@pytest.mark.parametrize("key", ["skip", "placement", "identity", "verbs", "state", "cluster", "anything"])
@pytest.mark.parametrize("field", ["annotations", "labels"])
def test_nothing_that_steers_medea_is_smuggled_in(field: str, key: str) -> None:
    body = {**SUBMIT, "submitOptions": {field: f"team=blue, medea.dev/{key}=x"}}
    answer = ask(app_of(Front("create")).test_client(), "POST", "/api/v1/workflows/blue/submit", body=body)
    assert answer.status_code == 400
    assert told(answer)["error"]["field"] == f"submitOptions.{field}"


@pytest.mark.parametrize("key", ["clusters", "policy", "fit"])
def test_what_people_may_say_of_the_placement_is_passed_on(key: str) -> None:
    body = {**SUBMIT, "submitOptions": {"annotations": f"medea.dev/{key}=x"}}
    made = ask(app_of(Front("create")).test_client(), "POST", "/api/v1/workflows/blue/submit", body=body)
    assert told(made)["metadata"]["annotations"] == {f"medea.dev/{key}": "x"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example:8090"},
        {"Host": "localhost.evil.example"},
        {"Host": "[::1"},
        {"Host": ""},
    ],
)
def test_an_open_door_is_none_for_a_page_in_somebodys_browser(headers: dict[str, str]) -> None:
    client = app_of(Front(), is_open=True).test_client()
    answer = client.post("/api/v1/workflows/blue/submit", json=SUBMIT, headers={"Host": "localhost:8090", **headers})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:8090", "127.0.0.1:8090", "[::1]:8090", "LOCALHOST"])
def test_it_is_one_for_programs_on_the_same_machine(host: str) -> None:
    client = app_of(Front(), is_open=True).test_client()
    assert client.post("/api/v1/workflows/blue/submit", json=SUBMIT, headers={"Host": host}).status_code == 200
