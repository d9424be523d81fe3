"""Medea's API gives Argo's verbs to Workflows, placed or not, in argo-server's own words."""

import json
from typing import Any

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import Object
from tests.end_to_end.medea import BALANCER, error_of
from tests.end_to_end.medea import patient_call as call
from tests.end_to_end.objects import origin, runs_of, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

ASK = "displayName=ask"
ONCE_MORE: dict[str, Any] = {"nodeFieldSelector": ASK, "restartSuccessful": True}
"""How to have a node without a pod retried."""


def asking(name: str, annotations: dict[str, str] | None = None) -> Object:
    """A Workflow that waits for an answer and needs no pod for it."""
    ask = {
        "name": "ask",
        "suspend": {},
        "outputs": {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}, "default": "none"}}]},
    }
    templates = [{"name": "main", "steps": [[{"name": "ask", "template": "ask"}]]}, ask]
    metadata = {"name": name, "annotations": annotations or {}}
    spec = {"entrypoint": "main", "templates": templates}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def put(workspace: Workspace, name: str, verb: str, status: int = 200, **body: Any) -> dict[str, Any]:
    """Give a verb; returns the Workflow, or the error."""
    answer = call("PUT", f"/api/v1/workflows/{workspace.name}/{name}/{verb}", base=BALANCER, body=body)
    if status != 200:
        return error_of(answer, status)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def gate(shown: Object) -> Object:
    """The node that asks, of an origin or a run; empty before there is one."""
    nodes = ((shown.get("status") or {}).get("nodes") or {}).values()
    return next((node for node in nodes if node["displayName"] == "ask" and node["type"] == "Suspend"), {})


def phase(workspace: Workspace, name: str) -> str:
    """The phase that the front door shows."""
    return str((origin(workspace.name, name).get("status") or {}).get("phase", ""))


def test_a_workflow_that_is_not_medeas_takes_every_verb(shared: Workspace) -> None:
    manifest = json.dumps(asking("plain", {"medea.dev/skip": "true"}))
    shared.kubectl("create", "-f", "-", stdin=manifest).ok()
    eventually(lambda: gate(origin(shared.name, "plain")).get("phase") == "Running", "it asks")
    assert put(shared, "plain", "suspend")["spec"]["suspend"] is True
    assert put(shared, "plain", "retry", 409)["code"] == "conflict"
    assert put(shared, "plain", "set", 422, nodeFieldSelector="displayName=nobody", message="?")["code"] == "refused"
    put(shared, "plain", "set", nodeFieldSelector=ASK, message="asked twice")
    assert gate(origin(shared.name, "plain"))["message"] == "asked twice"
    put(shared, "plain", "stop", nodeFieldSelector=ASK, message="no answer")
    put(shared, "plain", "resume")
    eventually(lambda: phase(shared, "plain") == "Failed", "it has failed for want of an answer")
    assert put(shared, "plain", "stop", 409)["code"] == "conflict"
    put(shared, "plain", "retry", **ONCE_MORE)
    eventually(lambda: gate(origin(shared.name, "plain")).get("phase") == "Running", "it asks again")
    put(shared, "plain", "terminate")
    eventually(lambda: phase(shared, "plain") == "Failed", "it is terminated")
    again = put(shared, "plain", "resubmit")["metadata"]["name"]
    assert again.startswith("plain-") and workflow("front", shared.name, again) is not None


def test_what_is_done_to_a_placed_workflow_is_done_to_its_run(shared: Workspace) -> None:
    shared.kubectl("create", "-f", "-", stdin=json.dumps(asking("placed"))).ok()

    def run() -> Object:
        found = runs_of(ledger_row(shared.name, "placed")["placement"])
        return found[0][1] if found else {}

    eventually(lambda: gate(origin(shared.name, "placed")).get("phase") == "Running", "the origin shows that it asks")
    put(shared, "placed", "suspend")
    eventually(lambda: run()["spec"].get("suspend") is True, "the run is suspended")
    put(shared, "placed", "stop", nodeFieldSelector=ASK, message="no answer")
    eventually(lambda: gate(run()).get("message") == "no answer", "the run's node has failed in these words")
    put(shared, "placed", "resume")
    eventually(lambda: phase(shared, "placed") == "Failed", "the origin has failed with its run")
    put(shared, "placed", "retry", **ONCE_MORE)
    eventually(lambda: gate(run()).get("phase") == "Running", "the run asks again")
    eventually(lambda: gate(origin(shared.name, "placed")).get("phase") == "Running", "the origin shows that")
    put(shared, "placed", "set", nodeFieldSelector=ASK, outputParameters='{"answer": "yes"}', phase="Succeeded")
    shared.wait("placed").ok()
    assert gate(run())["outputs"]["parameters"][0]["value"] == "yes"
