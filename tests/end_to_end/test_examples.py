"""Every example does what its header says."""

import pytest

from tests.end_to_end.ledger import rows_of
from tests.end_to_end.objects import TARGETS, origin, pods, runs_of
from tests.end_to_end.workspace import EXAMPLES, TEMPLATE, Workspace


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


def a_workflow_that_deletes_another(workspace: Workspace) -> None:
    """It looks at another one and then deletes it."""
    other = workspace.submit("executor_num=0", "seconds=0")
    workspace.wait(other).ok()
    workspace.wait(_submit(workspace, str(EXAMPLES / "steps.yaml"), "-p", f"workflow={other}")).ok()
    assert workspace.kubectl("get", "workflow", other).code != 0


EXPECTATIONS = {
    "hello-world-template.yaml": a_template_to_submit_from,
    "skip.yaml": a_workflow_that_is_skipped,
    "spark-from-template.yaml": a_workflow_that_names_the_template,
    "spark-inline.yaml": a_workflow_with_a_result,
    "steps.yaml": a_workflow_that_deletes_another,
}


@pytest.mark.parametrize("file", list(EXPECTATIONS))
def test_an_example_ends_as_its_header_says(shared: Workspace, file: str) -> None:
    EXPECTATIONS[file](shared)


def test_every_example_has_an_expectation() -> None:
    assert {file.name for file in EXAMPLES.iterdir()} == set(EXPECTATIONS)
