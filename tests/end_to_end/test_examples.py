"""Every example does what its header says."""

import pytest

from tests.end_to_end.ledger import rows_of
from tests.end_to_end.objects import TARGETS, origin, pods, runs_of, workflows
from tests.end_to_end.workspace import EXAMPLES, TEMPLATE, Workspace

pytestmark = pytest.mark.long


def _submit(workspace: Workspace, *words: str) -> str:
    return workspace.argo("submit", "-o", "name", *words).ok().out.strip()


def _placements(workspace: Workspace, name: str) -> list[str]:
    return [row["placement"] for row in rows_of(workspace.name) if row["name"] == name]


def _runs_on_a_target(workspace: Workspace, name: str) -> None:
    workspace.wait(name).ok()
    [placement] = _placements(workspace, name)
    assert [cluster in TARGETS for cluster, _ in runs_of(placement)] == [True]


def a_template_to_submit_from(workspace: Workspace) -> None:
    """A Spark job as a WorkflowTemplate; the namespace has got it already, as a user would apply it."""
    _runs_on_a_target(workspace, _submit(workspace, "--from", f"workflowtemplate/{TEMPLATE}", "-p", "seconds=1"))


def a_workflow_that_names_the_template(workspace: Workspace) -> None:
    """Sizes of its own over the template's."""
    name = _submit(workspace, str(EXAMPLES / "spark-from-template.yaml"))
    _runs_on_a_target(workspace, name)
    assert origin(workspace.name, name)["metadata"]["annotations"]["medea.dev/totals"] == "cpu=3, ram=1.25Gi"


def a_workflow_with_a_result(workspace: Workspace) -> None:
    """Its result is an output of the Workflow."""
    name = _submit(workspace, str(EXAMPLES / "spark-inline.yaml"))
    _runs_on_a_target(workspace, name)
    assert origin(workspace.name, name)["status"]["outputs"]["parameters"][0]["value"] == "3.14159"


def a_workflow_that_is_skipped(workspace: Workspace) -> None:
    """It runs at the front door although it has Spark parameters."""
    name = _submit(workspace, str(EXAMPLES / "skip.yaml"))
    workspace.wait(name).ok()
    assert _placements(workspace, name) == []
    assert [pod for pod in pods("front", workspace.name) if pod["metadata"]["name"].startswith(name)]


def an_account_for_steps(workspace: Workspace) -> None:
    """It may do what the steps do."""
    workspace.kubectl("apply", "-f", str(EXAMPLES / "steps-account.yaml")).ok()
    account = f"system:serviceaccount:{workspace.name}:steps"
    for verb in ("create", "get", "delete", "patch", "update"):
        workspace.until_may(account, verb)


def a_workflow_that_stops_and_deletes_another(workspace: Workspace) -> None:
    """It looks at another one, stops it and then deletes it."""
    an_account_for_steps(workspace)
    other = workspace.submit("executor_num=0", "seconds=300")
    name = _submit(workspace, str(EXAMPLES / "steps.yaml"), "-p", f"workflow={other}")
    workspace.wait(name).ok()
    assert workspace.kubectl("get", "workflow", other).code != 0


def a_workflow_that_has_two_others_placed(workspace: Workspace) -> None:
    """Both are placed, and owned by it."""
    an_account_for_steps(workspace)
    name = _submit(workspace, str(EXAMPLES / "steps-run.yaml"))
    workspace.wait(name).ok()
    parent = origin(workspace.name, name)
    children = [
        one
        for one in workflows("front", workspace.name)
        if parent["metadata"]["uid"] in [owner["uid"] for owner in one["metadata"].get("ownerReferences", [])]
    ]
    placed = [_placements(workspace, child["metadata"]["name"]) for child in children]
    assert [len(placements) for placements in placed] == [1, 1]
    assert _placements(workspace, name) == []


def a_workflow_without_spark_parameters(workspace: Workspace) -> None:
    """Its totals are the peak of its DAG, not the sum."""
    name = _submit(workspace, str(EXAMPLES / "dag.yaml"))
    _runs_on_a_target(workspace, name)
    assert origin(workspace.name, name)["metadata"]["annotations"]["medea.dev/totals"] == "cpu=0.5, ram=0.12Gi"


def a_cron_workflow(workspace: Workspace) -> None:
    """What it makes is placed, be it by its schedule or by hand."""
    workspace.argo("cron", "create", str(EXAMPLES / "cron.yaml")).ok()
    _runs_on_a_target(workspace, _submit(workspace, "--from", "cronwf/report"))


def a_fan_out_that_is_split(workspace: Workspace) -> None:
    """Four chunks, each a placement of its own, and the squares in their order."""
    name = _submit(workspace, str(EXAMPLES / "split.yaml"))
    workspace.wait(name, timeout=600).ok()
    status = origin(workspace.name, name)["status"]
    assert status["outputs"]["parameters"][0]["value"] == str([str(n * n) for n in range(12)]).replace(
        "'", '"'
    ).replace(", ", ",")
    assert len([row for row in rows_of(workspace.name) if str(row["name"]).startswith(f"{name}-")]) == 4


EXPECTATIONS = {
    "cron.yaml": a_cron_workflow,
    "dag.yaml": a_workflow_without_spark_parameters,
    "hello-world-template.yaml": a_template_to_submit_from,
    "skip.yaml": a_workflow_that_is_skipped,
    "spark-from-template.yaml": a_workflow_that_names_the_template,
    "spark-inline.yaml": a_workflow_with_a_result,
    "split.yaml": a_fan_out_that_is_split,
    "steps-account.yaml": an_account_for_steps,
    "steps-run.yaml": a_workflow_that_has_two_others_placed,
    "steps.yaml": a_workflow_that_stops_and_deletes_another,
}


IN_TESTS_OF_THEIR_OWN = {
    "boston-housing.json",
    "classes.yaml",
    "files-service.yaml",
    "power-job.yaml",
    "spark-account.yaml",
    "spark-pi.yaml",
}
"""They need doors, a namespace, a store or an image of their own."""


@pytest.mark.parametrize("file", list(EXPECTATIONS))
def test_an_example_ends_as_its_header_says(shared: Workspace, file: str) -> None:
    EXPECTATIONS[file](shared)


def test_every_example_has_an_expectation() -> None:
    assert {file.name for file in EXAMPLES.iterdir()} == set(EXPECTATIONS) | IN_TESTS_OF_THEIR_OWN
