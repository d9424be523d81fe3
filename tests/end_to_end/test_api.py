"""Medea over HTTP: the scout, the balancer as the original's manual has it, and the pages for operators."""

import pytest

from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.medea import BALANCER, METRICS, PLUGIN, SCOUT, WEBHOOK, error_of
from tests.end_to_end.medea import patient_call as call
from tests.end_to_end.objects import cluster_of
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker


@pytest.fixture(scope="module")
def tight(make_workspace: WorkspaceMaker) -> Workspace:
    """Two cores on each target."""
    return make_workspace(("2", "4Gi"), ("2", "4Gi"))


@pytest.mark.parametrize("base", [SCOUT, BALANCER])
def test_the_scout_names_a_target_for_a_need(tight: Workspace, base: str) -> None:
    answer = call("POST", "/api/request", base=base, body={"namespace": tight.name, "cpu": 0.5, "ram": 0.25})
    assert answer.status_code == 200, answer.text
    assert answer.json()["cluster"] in ("west", "east")
    assert answer.json()["cluster"] in answer.json()["reason"]


def test_a_need_larger_than_every_quota_is_refused_for_good(tight: Workspace) -> None:
    error = error_of(call("POST", "/api/request", body={"namespace": tight.name, "cpu": 100, "ram": 1}), 422)
    assert error["code"] == "refused"
    assert "never fit" in error["message"] and "98 cpu less" in error["message"]


def test_a_need_larger_than_the_room_now_is_a_conflict(make_workspace: WorkspaceMaker) -> None:
    full = make_workspace(("1", "4Gi"), ("1", "4Gi"))
    for _ in range(2):
        # It would never end by itself, however slow the machine is.
        cluster_of(full.name, full.create(inline("sleep 100000", SMALL)))
    # The two were accepted, so their room is taken from this moment, whether their pods are seen or not.
    error = error_of(call("POST", "/api/request", body={"namespace": full.name, "cpu": 1, "ram": 0.25}), 409)
    assert error["code"] == "no_room"
    assert "west" in error["message"] and "east" in error["message"]


VERBS = ("stop", "terminate", "suspend", "resume", "retry", "resubmit", "set")
BAD_CALLS = [
    (400, "POST", "/api/request", {"cpu": 1, "ram": 1}),
    (400, "POST", "/api/request", {"namespace": "a", "cpu": 0, "ram": 1}),
    (400, "POST", "/api/request", {"namespace": "a", "cpu": 1, "ram": "much"}),
    (400, "POST", "/api/v1/workflows/argo-workflows/submit", {"resourceKind": "WorkflowTemplate"}),
    (400, "POST", "/api/v1/workflows/argo-workflows/submit", {"resourceKind": "CronWorkflow", "resourceName": "x"}),
    (404, "GET", "/api/v1/workflows/argo-workflows/no-such-workflow", None),
    (404, "DELETE", "/api/v1/workflows/argo-workflows/no-such-workflow", None),
    (404, "PUT", "/api/v1/workflows/argo-workflows/no-such-workflow/stop", {}),
    (404, "PUT", "/api/v1/workflows/argo-workflows/no-such-workflow/retry", None),
    (404, "PUT", "/api/v1/workflows/argo-workflows/some-workflow/hibernate", {}),
    (400, "PUT", "/api/v1/workflows/argo-workflows/some-workflow/stop", {"mesage": "enough"}),
    (400, "PUT", "/api/v1/workflows/argo-workflows/some-workflow/retry", {"parameters": "a=b"}),
    (400, "PUT", "/api/v1/workflows/argo-workflows/some-workflow/suspend", {"name": "another"}),
    (400, "GET", "/api/v1/targets/Not_A_Name", None),
    (404, "GET", "/api/v1/placements/no-such-placement", None),
    (404, "GET", "/no/such/page", None),
    (405, "DELETE", "/api/request", None),
]


@pytest.mark.parametrize(("status", "method", "path", "body"), BAD_CALLS)
@pytest.mark.parametrize("base", [BALANCER, SCOUT])
def test_every_routes_error_has_the_one_shape(status: int, method: str, path: str, body: object, base: str) -> None:
    error_of(call(method, path, base=base, body=body), status)


ROUTES = {
    WEBHOOK: ["/mutate", "/healthz", "/readyz"],
    PLUGIN: ["/api/v1/plugin"],
    BALANCER: ["/api/request", "/api/v1/targets/argo-workflows", "/apidoc/openapi.json"],
}


@pytest.mark.parametrize("door", [WEBHOOK, PLUGIN, BALANCER, SCOUT])
@pytest.mark.parametrize("home", ROUTES)
def test_a_door_answers_its_own_routes_only(door: str, home: str) -> None:
    own = door == home or {door, home} == {BALANCER, SCOUT}
    for path in ROUTES[home]:
        # Some want to be posted to; that a route is there can be told from a GET all the same.
        answer = call("GET", path, base=door)
        assert (answer.status_code == 404) is not own, (door, path, answer.status_code)
        if not own:
            error_of(call("POST", path, base=door, body={}), 404)


def test_a_review_that_is_none_is_refused_in_the_one_shape() -> None:
    error_of(call("POST", "/mutate", base=WEBHOOK, body={"kind": "Pod"}), 400)
    error_of(call("GET", "/mutate", base=WEBHOOK), 405)


def test_a_template_that_is_missing_is_named(tight: Workspace) -> None:
    body = {"resourceKind": "WorkflowTemplate", "resourceName": "absent"}
    error = error_of(call("POST", f"/api/v1/workflows/{tight.name}/submit", body=body))
    assert "absent" in error["message"]


def test_a_strangers_token_moves_no_plugin(tight: Workspace) -> None:
    body = {"workflow": {"name": "a", "namespace": tight.name}, "call": {"get": {"name": "c"}}}
    assert error_of(call("POST", "/api/v1/plugin", base=PLUGIN, body=body, token="made-up"), 403)["code"] == "forbidden"
    assert error_of(call("POST", "/api/v1/plugin", base=PLUGIN, body=body, token=""), 401)["code"] == "unauthenticated"


@pytest.mark.parametrize("process", METRICS)
@pytest.mark.parametrize("page", ["/healthz", "/readyz", "/metrics"])
def test_each_process_tells_of_its_own_health(process: str, page: str) -> None:
    assert call("GET", page, base=METRICS[process], token="").status_code == 200


def test_openapi_describes_every_route() -> None:
    described = call("GET", "/apidoc/openapi.json").json()
    wanted = {
        "/api/request": {"post"},
        "/api/v1/workflows/{namespace}/submit": {"post"},
        "/api/v1/workflows/{namespace}/{name}": {"get", "delete"},
        **{f"/api/v1/workflows/{{namespace}}/{{name}}/{verb}": {"put"} for verb in VERBS},
        "/api/v1/targets/{namespace}": {"get"},
        "/api/v1/placements/{placement}": {"get"},
    }
    assert described["openapi"].startswith("3.")
    for path, methods in wanted.items():
        assert methods <= described["paths"][path].keys(), path


def test_metrics_count_what_has_been_reviewed(tight: Workspace) -> None:
    def placed() -> float:
        lines = call("GET", "/metrics", base=METRICS["webhook"]).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("medea_reviews_total{"))

    before = placed()
    tight.submit("executor_num=0", "seconds=0")
    eventually(lambda: placed() > before, "medea_reviews_total has grown")
