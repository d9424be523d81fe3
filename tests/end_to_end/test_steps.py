"""Medea's plugin as a step of a bigger Workflow: what it places, for whom, how often, and for how long."""

import base64
import datetime
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, Object, inline
from tests.end_to_end.medea import PLUGIN, error_of
from tests.end_to_end.medea import patient_call as call
from tests.end_to_end.objects import annotations, origin, runs_of, workflow, workflows
from tests.end_to_end.test_steering import ASK, ONCE_MORE, asking, gate, phase, put
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace

SKIP = {"medea.dev/skip": "true"}


@pytest.fixture(scope="module", autouse=True)
def _account(shared: Workspace) -> None:
    shared.kubectl("apply", "-f", str(EXAMPLES / "steps-account.yaml")).ok()


def parent_of_a_run(script: str, *, account: str = "steps") -> Object:
    """A Workflow with one step, which places a job and hands on what it has found out."""
    spec = inline(script, SMALL)["spec"]
    spec["templates"][0]["outputs"] = {"parameters": [{"name": "pi", "valueFrom": {"path": "/tmp/pi"}}]}
    place = {
        "name": "place",
        "plugin": {"medea": {"run": {"workflow": {"metadata": {"generateName": "part-"}, "spec": spec}}}},
        "outputs": {"parameters": [{"name": "pi", "valueFrom": {"supplied": {}}}]},
    }
    found = {"name": "found", "valueFrom": {"parameter": "{{steps.place.outputs.parameters.pi}}"}}
    main = {"name": "main", "steps": [[{"name": "place", "template": "place"}]], "outputs": {"parameters": [found]}}
    manifest = {"entrypoint": "main", "serviceAccountName": account, "templates": [main, place]}
    metadata = {"generateName": "parent-"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": manifest}


def children(workspace: Workspace, parent: str) -> list[Object]:
    """The sub-Workflows of a Workflow at the front door."""
    found = workflows("front", workspace.name)
    return [one for one in found if (one["metadata"].get("labels") or {}).get("medea.dev/parent") == parent]


def node(workspace: Workspace, name: str, shown: str) -> Object:
    """A node of a Workflow by its display name; empty before there is one."""
    nodes = ((origin(workspace.name, name).get("status") or {}).get("nodes") or {}).values()
    return next((one for one in nodes if one["displayName"] == shown), {})


def test_a_step_places_a_sub_workflow_and_hands_on_its_outputs(shared: Workspace) -> None:
    name = shared.create(parent_of_a_run("echo -n 3.14159 > /tmp/pi"))
    shared.wait(name, timeout=150).ok()
    root = node(shared, name, name)
    assert root["outputs"]["parameters"] == [{"name": "found", "value": "3.14159", **_rest(root)}]
    [child] = children(shared, name)
    row = ledger_row(shared.name, child["metadata"]["name"])
    assert row["identity"] == f"system:serviceaccount:{shared.name}:steps"
    assert child["metadata"]["name"] in node(shared, name, "place")["message"]
    assert row["cluster"] in node(shared, name, "place")["message"]
    shared.kubectl("delete", "workflow", name, "--timeout=90s").ok()
    eventually(lambda: workflow("front", shared.name, child["metadata"]["name"]) is None, "the child went with it")
    eventually(lambda: runs_of(row["placement"]) == [], "and so did its run")


def _rest(root: Object) -> Object:
    return {key: text for key, text in root["outputs"]["parameters"][0].items() if key not in ("name", "value")}


def test_a_sub_workflow_is_stopped_with_its_parent(shared: Workspace) -> None:
    name = shared.create(parent_of_a_run("sleep 300"))
    [child] = eventually(lambda: children(shared, name), "the sub-Workflow is there")
    child_name = child["metadata"]["name"]
    eventually(lambda: runs_of(annotations(origin(shared.name, child_name))["placement"]), "it has a run")
    shared.argo("stop", name).ok()
    eventually(lambda: phase(shared, child_name) == "Failed", "the sub-Workflow is stopped too")
    [(_, run)] = runs_of(annotations(origin(shared.name, child_name))["placement"])
    assert run["spec"]["shutdown"] == "Stop"
    eventually(lambda: phase(shared, name) == "Failed", "the parent has ended")


def test_an_account_without_rights_is_told_which_it_lacks(shared: Workspace) -> None:
    name = shared.create(parent_of_a_run("true", account="medea-agent"))
    assert shared.wait(name).code != 0
    message = node(shared, name, "place")["message"]
    assert all(word in message for word in ("medea-agent", "may not create", "workflows of argoproj.io")), message
    assert children(shared, name) == []


class Agent:
    """Argo's agent of one Workflow, whose memory is worse than its persistence."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        secret = ("get", "secret", "medea-executor-plugin.service-account-token", "-o", "jsonpath={.data.token}")
        token = eventually(lambda: workspace.kubectl(*secret).out, "Medea has prepared the namespace")
        self._token = base64.b64decode(token).decode()
        self._workflow = {"name": name, "namespace": workspace.name}

    def ask(self, uid: str, verb: str, arguments: Object) -> Any:
        """One question; returns the whole answer."""
        body = {"workflow": {**self._workflow, "uid": uid}, "call": {verb: arguments}}
        return call("POST", "/api/v1/plugin", base=PLUGIN, body=body, token=self._token)

    def phase(self, uid: str, verb: str, arguments: Object) -> str:
        """One question; returns the phase of the node that is answered."""
        answer = self.ask(uid, verb, arguments)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["node"]["phase"])

    def end(self, uid: str, verb: str, arguments: Object) -> str:
        """The node's last phase: as long as it is Running, because somebody else changes it, an agent asks again."""

        def over() -> str:
            phase = self.phase(uid, verb, arguments)
            return "" if phase == "Running" else phase

        return eventually(over, f"{verb} is over")


def asker(workspace: Workspace, name: str) -> tuple[Agent, str]:
    """A Workflow of the front door that is under way, and may have steps; with its uid."""
    manifest = asking(name, SKIP)
    manifest["spec"]["serviceAccountName"] = "steps"
    workspace.kubectl("create", "-f", "-", stdin=json.dumps(manifest)).ok()
    eventually(lambda: phase(workspace, name) == "Running", f"{name} is under way")
    return Agent(workspace, name), str(origin(workspace.name, name)["metadata"]["uid"])


def test_a_step_that_is_asked_for_many_times_places_one_sub_workflow(shared: Workspace) -> None:
    agent, uid = asker(shared, "asks-often")
    run = {"workflow": {"spec": asking("x")["spec"]}}
    with ThreadPoolExecutor(6) as threads:
        phases = set(threads.map(lambda _: agent.phase(uid, "run", run), range(12)))
    assert phases == {"Running"}
    [child] = children(shared, "asks-often")
    assert agent.phase(uid, "run", {**run, "call": "another"}) == "Running"
    assert len(children(shared, "asks-often")) == 2
    # Gone is not the same as never there.
    shared.kubectl("delete", "workflow", child["metadata"]["name"], "--timeout=90s").ok()
    assert agent.phase(uid, "run", run) == "Error"
    assert len(children(shared, "asks-often")) == 1


@pytest.mark.parametrize("marks", [SKIP, {}], ids=["at the front door", "placed"])
def test_a_retry_that_is_asked_for_twice_is_done_once(shared: Workspace, marks: dict[str, str]) -> None:
    name = "plain" if marks else "placed"
    agent, uid = asker(shared, f"retries-{name}")
    retry = {"name": name, **ONCE_MORE}
    shared.kubectl("create", "-f", "-", stdin=json.dumps(asking(name, marks))).ok()

    def fail() -> None:
        eventually(lambda: gate(origin(shared.name, name)).get("phase") == "Running", "it asks")
        put(shared, name, "stop", nodeFieldSelector=ASK)
        eventually(lambda: phase(shared, name) == "Failed", "it has failed")
        # Kubernetes' clock has no fractions: two attempts in one second are one.
        end = origin(shared.name, name)["status"]["finishedAt"]
        now = datetime.datetime.now
        eventually(lambda: now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") > end, "the next second has begun")

    fail()
    assert agent.end(uid, "retry", retry) == "Succeeded"
    fail()
    assert agent.end(uid, "retry", retry) == "Succeeded"
    assert phase(shared, name) == "Failed"
    assert agent.end(uid, "stop", {"name": name}) == "Succeeded"


def test_the_plugin_speaks_for_no_workflow_that_is_not_there(shared: Workspace) -> None:
    agent, _ = asker(shared, "true-name")
    error = error_of(agent.ask("another-uid", "get", {"name": "true-name"}), 404)
    assert "true-name" in error["message"]
