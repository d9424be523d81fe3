"""The API's door is closed: who calls must be known and allowed what they ask for, and the log says who tried."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.end_to_end.commands import run
from tests.end_to_end.lab import log
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.medea import CA, SCOUT, administrator, error_of
from tests.end_to_end.medea import patient_call as call
from tests.end_to_end.objects import workflow, workflows
from tests.end_to_end.open_door import BALANCER_PORT, open_api
from tests.end_to_end.test_steering import asking
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker
from tests.lab.layout import CHECKOUT, FRONT, LOGS

SUBMIT: dict[str, Any] = {"resourceKind": "WorkflowTemplate", "resourceName": "hello-world-template"}
PARAMETERS = ["executor_num=0", "seconds=0"]


@dataclass(frozen=True)
class Person:
    """A ServiceAccount of a namespace, which may do these verbs to Workflows there, and its token."""

    user: str
    token: str


def person(workspace: Workspace, name: str, *verbs: str) -> Person:
    """Make one."""
    user = f"system:serviceaccount:{workspace.name}:{name}"
    workspace.kubectl("create", "serviceaccount", name).ok()
    if verbs:
        words = [f"--verb={','.join(verbs)}", "--resource=workflows.argoproj.io"]
        workspace.kubectl("create", "role", name, *words).ok()
        workspace.kubectl(
            "create", "rolebinding", name, f"--role={name}", f"--serviceaccount={workspace.name}:{name}"
        ).ok()
        workspace.until_may(user, verbs[0])
    token = workspace.kubectl("create", "token", name).ok().out.strip()
    return Person(user, token)


def calls(namespace: str) -> dict[str, Callable[[str], requests.Response]]:
    """Every kind of call, by the right that it takes."""
    path = f"/api/v1/workflows/{namespace}"
    ask = {"namespace": namespace, "cpu": 0.1, "ram": 0.1}
    return {
        "create": lambda token: call("POST", f"{path}/submit", token=token, body=SUBMIT),
        "get": lambda token: call("GET", f"{path}/job", token=token),
        "delete": lambda token: call("DELETE", f"{path}/job", token=token),
        "patch": lambda token: call("PUT", f"{path}/job/stop", token=token, body={}),
        "update": lambda token: call("PUT", f"{path}/job/suspend", token=token, body={}),
        "list": lambda token: call("POST", "/api/request", base=SCOUT, token=token, body=ask),
        "list ": lambda token: call("GET", f"/api/v1/targets/{namespace}", base=SCOUT, token=token),
    }


def refusals() -> list[dict[str, Any]]:
    """What the log says of those who were refused. A line takes its time from a container into its log."""
    lines = log("webhook").splitlines()
    return [found for line in lines if line.startswith("{") and (found := json.loads(line))["event"] == "refused"]


@pytest.fixture(scope="module")
def nobody(shared: Workspace) -> Person:
    """Somebody who may do nothing."""
    return person(shared, "nobody")


@pytest.mark.parametrize("token", ["", "made-up"])
def test_nobody_is_served_without_a_token_that_the_front_door_knows(shared: Workspace, token: str) -> None:
    for ask in calls(shared.name).values():
        answer = ask(token)
        assert error_of(answer, 401)["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def logged() -> bool:
        return "unauthenticated" in {one["code"] for one in refusals() if shared.name in one["path"]}

    eventually(logged, "the log says so")


def test_a_token_that_was_made_for_another_service_is_none(shared: Workspace, nobody: Person) -> None:
    assert nobody.user.startswith("system:serviceaccount:")
    other = shared.kubectl("create", "token", "nobody", "--audience=vault").ok().out.strip()
    error_of(calls(shared.name)["get"](other), 401)


def test_who_may_do_nothing_is_told_what_is_missing_and_the_log_says_who_tried(
    shared: Workspace, nobody: Person
) -> None:
    for right, ask in calls(shared.name).items():
        error = error_of(ask(nobody.token), 403)
        assert error["user"] == nobody.user
        assert all(word in error["message"] for word in (nobody.user, right.strip(), shared.name))
    assert workflows("front", shared.name) == []
    rights = {right.strip() for right in calls(shared.name)}

    def of_nobody() -> list[dict[str, Any]]:
        found = [one for one in refusals() if one.get("user") == nobody.user]
        return found if {one["verb"] for one in found} >= rights else []

    logged = eventually(of_nobody, "the log says all that was tried")
    assert {one["verb"] for one in logged} == rights
    assert {one["namespace"] for one in logged} == {shared.name}
    # This host, by one of its addresses.
    assert {one["remote"] for one in logged} <= {"127.0.0.1", FRONT.gateway}
    assert nobody.token not in log("webhook")


def test_a_right_in_one_namespace_is_none_in_another(shared: Workspace, make_workspace: WorkspaceMaker) -> None:
    other = make_workspace()
    ann = person(shared, "of-one", "create", "get", "list", "delete", "update", "patch")
    for ask in calls(other.name).values():
        error_of(ask(ann.token), 403)


def test_a_namespace_that_has_not_opted_in_is_none_of_medeas(make_workspace: WorkspaceMaker) -> None:
    apart = make_workspace(enabled=False)
    for ask in calls(apart.name).values():
        error = error_of(ask(administrator()), 403)
        assert "has not opted in" in error["message"]
    assert workflows("front", apart.name) == []


def test_what_is_submitted_is_submitted_as_whoever_asks(shared: Workspace) -> None:
    ann = person(shared, "ann", "create", "get", "delete")
    path = f"/api/v1/workflows/{shared.name}"
    body = {**SUBMIT, "submitOptions": {"parameters": PARAMETERS}}
    made = call("POST", f"{path}/submit", token=ann.token, body=body, headers={"tuz": "somebody-else"})
    assert made.status_code == 200, made.text
    name = made.json()["metadata"]["name"]
    shared.wait(name).ok()
    assert ledger_row(shared.name, name)["identity"] == ann.user
    assert call("GET", f"{path}/{name}", token=ann.token).json()["metadata"]["name"] == name
    assert call("DELETE", f"{path}/{name}", token=ann.token).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"annotations": "medea.dev/skip=true"},
        {"annotations": "medea.dev/placement=0123"},
        {"annotations": "medea.dev/identity=boss"},
        {"annotations": "medea.dev/verbs=stop"},
        {"labels": "medea.dev/parent-uid=a"},
    ],
)
def test_nothing_that_steers_medea_is_smuggled_in(shared: Workspace, options: dict[str, str]) -> None:
    body = {**SUBMIT, "submitOptions": options}
    error = error_of(call("POST", f"/api/v1/workflows/{shared.name}/submit", body=body), 400)
    assert "medea.dev/" in error["message"]


def test_a_verb_is_the_callers_own_at_argo_server(shared: Workspace) -> None:
    """Argo-server gets the caller's token, so that what Kubernetes knows of the caller counts there too."""
    manifest = json.dumps(asking("steered", {"medea.dev/skip": "true"}))
    shared.kubectl("create", "-f", "-", stdin=manifest).ok()
    path = f"/api/v1/workflows/{shared.name}/steered/suspend"
    bob = person(shared, "bob", "update")
    # To suspend, argo-server reads the Workflow first: with bob's token it can't, with Medea's own it could.
    error = error_of(call("PUT", path, token=bob.token, body={}), 403)
    assert "argo-server does not allow it" in error["message"] and bob.user in error["message"]
    cat = person(shared, "cat", "get", "update")
    assert call("PUT", path, token=cat.token, body={}).json()["spec"]["suspend"] is True
    found = workflow("front", shared.name, "steered")
    assert found and found["spec"]["suspend"] is True


def test_the_command_line_asks_with_a_token(shared: Workspace, tmp_path: Path) -> None:
    ann, token_file = person(shared, "looks", "list"), tmp_path / "token"
    token_file.write_text(ann.token)
    settings = [f"MEDEA_SCOUT_URL={SCOUT}", f"MEDEA_API_CA={CA}"]
    medea = ["env", *settings, str(CHECKOUT / ".venv/bin/python"), "-m", "webhook", "targets"]
    found = run([*medea, "-n", shared.name, "--token-file", str(token_file)]).ok()
    assert "west" in found.out and "east" in found.out
    refused = run([*medea, "-n", "default", "--token-file", str(token_file)])
    assert refused.code == 1
    assert ann.user in refused.err and "list" in refused.err and str(token_file) in refused.err


def test_an_open_api_listens_on_the_loopback_only_and_says_so() -> None:
    with open_api() as url:
        assert requests.get(f"{url}/api/v1/targets/argo-workflows", timeout=60).status_code == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((FRONT.gateway, BALANCER_PORT), timeout=60)
        assert requests.get(f"{url}/api/v1/targets/default", timeout=60).status_code == 403
        assert "the API is open (MEDEA_API=open)" in (LOGS / "open-api.log").read_text()
