"""The balancer: with an open API, what the original Medea's manual says still works to the letter."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.end_to_end.commands import kubectl, run
from tests.end_to_end.ledger import Row, ledger_row
from tests.end_to_end.manifests import from_template
from tests.end_to_end.medea import BALANCER, error_of
from tests.end_to_end.medea import patient_call as call
from tests.end_to_end.objects import Object, origin, runs_of, workflow
from tests.end_to_end.open_door import open_api
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

# The manual's namespace, which the laboratory has for it.
NAMESPACE = "argo-workflows"
PATH = f"/api/v1/workflows/{NAMESPACE}"
# fmt: off
CURL = [
    "curl", "-X", "POST",
    "--url", "http://localhost:8090/api/v1/workflows/argo-workflows/submit",
    "--header", "tuz: TUZ1234",
    "--header", "Content-Type: application/json",
    "--data", """{"resourceKind": "WorkflowTemplate", "resourceName": "hello-world-template", "submitOptions": {
        "labels": "workflows.argoproj.io/workflow-template=hello-world-template",
        "parameters": ["executor_num=2","driver_cores=1","driver_cores_limit=1","driver_memory=0.2g",
                       "driver_memory_limit=0.25g","executor_cores=1","executor_cores_limit=1",
                       "executor_memory_limit=6g"]}}""",
]
# fmt: on


@dataclass(frozen=True)
class Call:
    """What the manual's call has brought about."""

    answer: Object
    name: str
    row: Row


@pytest.fixture(scope="module")
def manual(_lab: None) -> Iterator[Call]:
    with open_api() as url:
        answer = json.loads(run([word.replace("http://localhost:8090", url) for word in CURL]).ok().out)
    assert "metadata" in answer, answer
    name = answer["metadata"]["name"]
    try:
        eventually(lambda: _dispatched(name), f"the run of {name} exists")
        yield Call(answer, name, ledger_row(NAMESPACE, name))
    finally:
        kubectl("front", "delete", "workflow", "-n", NAMESPACE, name, "--ignore-not-found", "--timeout=90s").ok()


def _dispatched(name: str) -> bool:
    return ledger_row(NAMESPACE, name)["dispatched_at"] is not None


def test_the_manuals_call_is_counted_and_attributed_as_in_the_manual(manual: Call) -> None:
    assert (manual.row["cpu_milli"], manual.row["memory_bytes"]) == (3000, int(12.25 * (1 << 30)))
    assert manual.row["identity"] == "TUZ1234"
    assert manual.row["template"] == "hello-world-template"
    labels = origin(NAMESPACE, manual.name)["metadata"]["labels"]
    assert labels["workflows.argoproj.io/workflow-template"] == "hello-world-template"


def test_get_answers_with_the_run_from_its_target(manual: Call) -> None:
    answer = call("GET", f"{PATH}/{manual.name}", base=BALANCER)
    assert answer.status_code == 200
    [(cluster, run)] = runs_of(manual.row["placement"])
    assert answer.json()["metadata"]["uid"] == run["metadata"]["uid"] == manual.row["run_uid"]
    assert cluster == manual.row["cluster"]


def test_delete_removes_origin_and_run(manual: Call) -> None:
    assert call("DELETE", f"{PATH}/{manual.name}", base=BALANCER).status_code == 200
    eventually(lambda: workflow("front", NAMESPACE, manual.name) is None, "the origin is gone")
    assert runs_of(manual.row["placement"]) == []
    error_of(call("GET", f"{PATH}/{manual.name}", base=BALANCER), 404)


def test_an_identity_that_a_user_claims_is_not_believed(shared: Workspace) -> None:
    manifest = from_template(
        {"executor_num": "0", "seconds": "0"}, name="claims", annotations={"medea.dev/identity": "TUZ1234"}
    )
    shared.kubectl("create", "-f", "-", stdin=json.dumps(manifest)).ok()
    shared.wait("claims").ok()
    assert ledger_row(shared.name, "claims")["identity"] == "admin"


def test_a_workflow_that_is_not_medeas_can_be_read_and_deleted_too(shared: Workspace) -> None:
    manifest = from_template({"executor_num": "0"}, name="skipped", annotations={"medea.dev/skip": "true"})
    shared.kubectl("create", "-f", "-", stdin=json.dumps(manifest)).ok()
    path = f"/api/v1/workflows/{shared.name}/skipped"
    found = call("GET", path, base=BALANCER)
    assert found.json()["metadata"]["uid"] == origin(shared.name, "skipped")["metadata"]["uid"]
    assert call("DELETE", path, base=BALANCER).status_code == 200
    eventually(lambda: workflow("front", shared.name, "skipped") is None, "the Workflow is gone")
