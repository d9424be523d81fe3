"""The node allocator's calls: a Workflow with selectors for the target that it would go to, and its submission."""

import json
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.doors.nodes.fronts import Front, registry
from tests.doors.nodes.test_manifest import BOSTON, WRITTEN, changes
from tests.nodes.workflows import spec, template
from webhook.api.balancer import Balancer
from webhook.api.gate import Caller, OpenGate
from webhook.api.limits import ConcurrencyLimit
from webhook.api.routes import Deps
from webhook.doors.nodes import routes
from webhook.doors.nodes.nodes import Nodes
from webhook.doors.split import routes as split_routes
from webhook.errors import ClusterUnavailable, Forbidden, Rejected
from webhook.model.contract import CLUSTERS
from webhook.server.apps import create_api_app

Object = dict[str, Any]


class Gate:
    """Lets everybody in; in namespace `red` nobody may do anything."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def caller(self, _: object) -> Caller:
        return Caller(None, self._front.cluster, None)

    def check(self, _caller: Caller, verb: str, namespace: str, _name: str = "") -> None:
        assert verb == "create"
        if namespace == "red":
            raise Forbidden("nobody may create Workflows in namespace red")


def client(front: Front, *, namespace: str | None = "ns", pools: Any = None, listed: bool = True) -> FlaskClient:
    gate = cast("OpenGate", Gate(front))
    slots, nothing = ConcurrencyLimit(1), cast("Any", None)
    nodes = routes.Deps(gate, Nodes(registry(pools, listed=listed), namespace), slots)
    split = split_routes.Deps(gate, nothing, nothing, None, "")
    return create_api_app(Deps(gate, nothing, nothing, cast("Balancer", nothing)), nodes, split).test_client()


def workflow(*templates: Object, **metadata: Any) -> Object:
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
    return {**head, "metadata": {"generateName": "a-", **metadata}, "spec": spec(*templates)}


def error(answer: TestResponse) -> Object:
    found: Object = answer.get_json()["error"]
    return found


LITTLE, MUCH = template("a", limits={"cpu": "1"}), template("a", limits={"cpu": "10"})


@pytest.mark.parametrize("path", ["/yaml", "/api/v1/yaml"])
def test_the_originals_call_with_its_own_pipeline_works_as_it_is_written(path: str) -> None:
    text = BOSTON.read_text()
    answer = client(Front("west")).post(path, data=text, content_type="application/json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["Medea-Cluster"] == "west"
    assert answer.headers["Medea-Nodes"] == "west: deploy-model on pool=small"
    named = {one["name"]: one.get("nodeSelector") for one in json.loads(answer.text)["spec"]["templates"]}
    assert {name: one for name, one in named.items() if one} == {"deploy-model": {"pool": "small"}}
    assert len(changes(text, answer.text)) == 1


def test_yaml_comes_back_as_yaml() -> None:
    answer = client(Front("west")).post("/yaml", data=WRITTEN.encode())
    assert answer.status_code == 200 and answer.mimetype == "application/yaml"
    assert "# It needs little." in answer.text and 'pool: "large"' in answer.text


def test_where_it_would_go_is_asked_by_a_dry_run_among_the_targets_that_it_fits() -> None:
    front = Front("bare", "east", "west")
    answer = client(front).post("/yaml", json=workflow(MUCH, name="mine", labels={"a": "b"}))
    [(namespace, dry_run, body)] = front.asked
    assert (namespace, dry_run) == ("ns", True)
    assert body["metadata"]["annotations"] == {CLUSTERS: "west"}
    assert "name" not in body["metadata"] and body["metadata"]["labels"] == {"a": "b"}
    assert answer.headers["Medea-Cluster"] == "west"


def test_a_users_own_choice_of_targets_stays_in_force() -> None:
    front = Front("east", "west")
    asked = workflow(LITTLE, annotations={CLUSTERS: "west, bare"})
    assert client(front).post("/yaml", json=asked).headers["Medea-Cluster"] == "west"
    nowhere = client(front).post("/yaml", json=workflow(LITTLE, annotations={CLUSTERS: "bare"}))
    assert nowhere.status_code == 422 and "no target has all the node pools" in error(nowhere)["message"]


def test_what_asks_for_nothing_comes_back_as_it_is_and_nobody_is_asked() -> None:
    front = Front()
    text = json.dumps(workflow({"name": "a", "container": {"image": "x"}}))
    answer = client(front).post("/yaml", data=text)
    assert (answer.status_code, answer.text, front.asked) == (200, text, [])


def test_what_fits_no_target_is_refused_with_what_each_lacks() -> None:
    answer = client(Front("west")).post("/yaml", json=workflow(template("big", limits={"cpu": "100"})))
    assert answer.status_code == 422
    for words in ("bare names no node pools", "of its largest node pool, pool=large, have cpu 16", "no node of east"):
        assert words in error(answer)["message"]


def test_without_any_target_that_is_said() -> None:
    answer = client(Front(), pools={}).post("/yaml", json=workflow(LITTLE))
    assert answer.status_code == 422 and "no target is registered" in error(answer)["message"]


def test_no_room_now_is_a_conflict_with_the_reason() -> None:
    answer = client(Front()).post("/yaml", json=workflow(LITTLE))
    assert answer.status_code == 409 and "all full" in error(answer)["message"]


@pytest.mark.parametrize("path", ["/run", "/api/v1/run"])
def test_a_workflow_is_submitted_and_the_answer_says_where_it_is(path: str) -> None:
    front = Front("west")
    answer = client(front).post(path, json=workflow(LITTLE))
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "success",
        "name": "a-x",
        "namespace": "ns",
        "cluster": "west",
        "state": "placed",
        "reason": "west: it fits",
    }
    [(_, dry_run, body)] = front.asked
    assert not dry_run and "annotations" not in body["metadata"]


def test_what_waits_is_submitted_too_and_says_why_it_waits() -> None:
    answer = client(Front()).post("/run", json=workflow(LITTLE))
    assert answer.status_code == 200
    assert (answer.get_json()["cluster"], answer.get_json()["state"], answer.get_json()["reason"]) == (
        None,
        "queued",
        "all full",
    )


def test_it_goes_to_targets_that_have_the_pools_it_names() -> None:
    front = Front("east", "west")
    answer = client(front).post("/run", json=workflow({**MUCH, "nodeSelector": {"pool": "large"}}))
    assert answer.get_json()["cluster"] == "west"
    assert front.asked[0][2]["metadata"]["annotations"] == {CLUSTERS: "west"}


def test_a_selector_of_no_pool_says_nothing_about_targets() -> None:
    front = Front("bare")
    answer = client(front).post("/run", json=workflow({**MUCH, "nodeSelector": {"disk": "ssd"}}))
    assert answer.get_json()["cluster"] == "bare"


def test_what_yaml_answers_is_what_run_takes() -> None:
    front = Front("east", "west")
    placed = client(front).post("/yaml", json=workflow(MUCH))
    assert client(front).post("/run", data=placed.data).get_json()["cluster"] == "west"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ClusterUnavailable("the front door is away"), 503),
        (Rejected("a policy says no"), 422),
    ],
)
def test_what_the_front_door_says_is_passed_on(failure: Any, status: int) -> None:
    answer = client(Front(error=failure)).post("/run", json=workflow(LITTLE))
    assert (answer.status_code, error(answer)["message"]) == (status, failure.message)


def test_the_namespace_is_the_callers_the_workflows_or_the_setting() -> None:
    front = Front("west")
    asking = client(front)
    asking.post("/run?namespace=team", json=workflow(LITTLE))
    asking.post("/run", json=workflow(LITTLE, namespace="own"))
    asking.post("/run", json=workflow(LITTLE))
    assert [namespace for namespace, _, _ in front.asked] == ["team", "own", "ns"]
    two = asking.post("/run?namespace=team", json=workflow(LITTLE, namespace="own"))
    assert two.status_code == 400 and error(two)["field"] == "namespace"
    none = client(front, namespace=None).post("/run", json=workflow(LITTLE))
    assert none.status_code == 400 and error(none)["field"] == "namespace"
    path = asking.post("/run?namespace=../x", json=workflow(LITTLE))
    assert path.status_code == 400 and len(front.asked) == 3


@pytest.mark.parametrize("path", ["/yaml", "/run"])
def test_who_may_not_create_workflows_there_learns_nothing(path: str) -> None:
    front = Front("west")
    assert client(front).post(f"{path}?namespace=red", json=workflow(LITTLE)).status_code == 403
    assert front.asked == []


@pytest.mark.parametrize("path", ["/yaml", "/run"])
def test_hostile_input_is_refused_and_nothing_is_asked_or_submitted(path: str) -> None:
    front = Front("west")
    bomb = "a: &a [" + "x," * 50 + "]\nb: &b [" + "*a," * 50 + "]\nc: [" + "*b," * 50 + "]"
    for body in (bomb, "{", "kind: Pod", '{"kind": "Workflow"}'):
        answer = client(front).post(path, data=body)
        assert answer.status_code == 400, body
    wrong = client(front).post(path, json=workflow(template("a", limits={"cpu": "many"})))
    assert path == "/run" or (wrong.status_code == 422 and "limits.cpu is 'many'" in error(wrong)["message"])
    assert all("many" in str(body) for _, _, body in front.asked)


def test_the_calls_are_on_the_api_page() -> None:
    document = client(Front()).get("/apidoc/openapi.json").get_json()
    assert {"/yaml", "/run"} <= set(document["paths"])


@pytest.mark.parametrize("path", ["/yaml", "/run"])
def test_until_the_targets_are_known_nobody_is_told_that_there_are_none(path: str) -> None:
    front = Front("west")
    answer = client(front, listed=False).post(path, json=workflow(LITTLE))
    assert answer.status_code == 503
    assert error(answer)["message"] == "the targets are not known yet; try again"
    assert front.asked == []
